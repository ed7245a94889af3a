"""Whole journals, written and read in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.events import Begun, Event, begin_of, retold
from sparktune.journal.journal import read, save
from sparktune.trial import Header, Trial


def save_trials(
    path: str | os.PathLike[str],
    header: Header,
    records: Mapping[Any, Trial],
    attachments: Mapping[str, Any],
) -> None:
    """Write a journal of these trials; an existing journal is replaced.

    Raises:
        InvalidArgument: a run writes to the journal, or `path` cannot be a file.
        JournalFailed: the journal cannot be written.
    """
    save(path, [Begun(header), *retold(records, attachments)])


def read_study(path: str | os.PathLike[str]) -> list[Event]:
    """The events of a journal, which is not changed.

    Raises:
        InvalidArgument: there is no journal, or it cannot be read.
    """
    events = read(path)
    if begin_of(events) is None:
        raise InvalidArgument(f"there is no journal at {path}")
    return events
