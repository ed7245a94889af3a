"""The fields of a journal's entries, and checks of their values."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from sparktune.journal.blobs import Blob
from sparktune.trial import (
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_SUSPENDED,
    Status,
)

FORMAT = 1
WITH_BUDGETS = 2  # the format of a journal whose scheduler gives budgets
STATUSES = (STATUS_NEW, STATUS_RUNNING, STATUS_SUSPENDED, STATUS_OK, STATUS_FAIL)  # of a result
ENDED = {status.value: status for status in Status if not status.pending}
_LATEST = 253_402_300_799  # the last second of the year 9999


def status_text(status: Status) -> str:
    """The status of a result whose trial ended so."""
    return STATUS_OK if status is Status.OK else STATUS_FAIL


def is_int(value: Any) -> bool:
    """Whether a value can be a number of trials, or an id."""
    return type(value) is int and 0 <= value < 2**62


def _is_count(value: Any) -> bool:
    return value is None or is_int(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -1e300 < value < 1e300


def _is_loss(value: Any) -> bool:
    return value is None or type(value) is float or _is_number(value)


def is_time(value: Any) -> bool:
    """Whether a value is None or can be seconds since the epoch."""
    return value is None or (isinstance(value, (int, float)) and 0 <= value < _LATEST)


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_dict(value: Any) -> bool:
    return type(value) is dict


def _is_id(value: Any) -> bool:  # documents of Hyperopt may have texts as ids
    return is_int(value) or (type(value) is str and 0 < len(value) < 200)


def is_plain(value: Any) -> bool:
    """Whether a value can be stored as the option of a choice."""
    return value is None or type(value) in (bool, str, float) or _is_number(value)


TRIAL: dict[str, Callable[[Any], bool]] = {
    "id": _is_id,
    "values": lambda value: _is_dict(value) and all(map(_is_number, value.values())),
    "asked": is_time,
    "budget": lambda value: _is_number(value) and value > 0,
    "parent": is_int,
    "explore": lambda value: value is True,
}


TOLD: dict[str, Callable[[Any], bool]] = {
    "id": _is_id,
    "status": lambda value: _is_text(value) and value in ENDED,
    "loss": _is_loss,
    "result": lambda value: isinstance(value, (dict, Blob)),
    "failure": lambda value: type(value) is list and len(value) == 3 and all(map(_is_text, value)),
    "attachments": lambda value: _is_dict(value) and all(map(_is_text, value)),
    "started": is_time,
    "finished": is_time,
    "log": _is_text,
    "state": lambda value: (
        type(value) is list
        and [type(each) for each in value] == [str, int, bool]
        and re.fullmatch(r"\w[\w.-]{0,200}", value[0]) is not None
    ),
    "anew": lambda value: value is True,
}


HEADER: dict[str, Callable[[Any], bool]] = {
    "objective": _is_text,
    "seed": lambda value: type(value) is int and 0 <= value < 10**600,
    "space": _is_text,
    "columns": lambda value: _is_dict(value) and all(map(_is_text, value.values())),
    "created": lambda value: value is not None and is_time(value),
    "options": lambda value: (
        _is_dict(value)
        and all(type(each) is list and all(map(is_plain, each)) for each in value.values())
    ),
}


HEADER["ladder"] = lambda value: (
    type(value) is list and all(_is_number(each) and each > 0 for each in value)
)


RUN: dict[str, Callable[[Any], bool]] = {"max_evals": _is_count, "end": _is_count}


def checked(
    entry: Any, fields: Mapping[str, Callable[[Any], bool]], needed: tuple[str, ...]
) -> dict[str, Any]:
    """The entry, if all its fields are valid.

    Args:
        entry: the entry.
        fields: {name: whether a value is valid}.
        needed: the names of required fields.

    Raises:
        ValueError: a field is unknown, has an invalid value, or is missing.
    """
    if type(entry) is not dict:
        raise ValueError(f"it has {reprlib.repr(entry)} instead of an object with fields")
    for name, value in entry.items():
        good = fields.get(name)
        if good is None:
            raise ValueError(f"its field {name!r:.40} is unknown to this version of sparktune")
        if not good(value):
            raise ValueError(f"its {name} cannot be {reprlib.repr(value)}")
    for name in needed:
        if name not in entry:
            raise ValueError(f"its {name} is missing")
    return entry
