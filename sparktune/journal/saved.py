"""Journals that are written and read as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.journal.journal import read, save
from sparktune.trial import Begun, Event, Header, Trial, begin_of, retold


def save_trials(
    path: str | os.PathLike[str],
    header: Header,
    records: Mapping[Any, Trial],
    attachments: Mapping[str, Any],
) -> None:
    """Write a journal that tells of these trials, in place of the one that is there.

    Raises:
        InvalidArgument: a run writes there, or no file can be there.
        JournalFailed: it cannot be written.
    """
    save(path, [Begun(header), *retold(records, attachments)])


def read_study(path: str | os.PathLike[str]) -> list[Event]:
    """What a journal, which is left alone, tells.

    Raises:
        InvalidArgument: there is none, or it cannot be read.
    """
    events = read(path)
    if begin_of(events) is None:
        raise InvalidArgument(f"there is no journal at {path}")
    return events
