"""Conversion of the lines of a journal to events, with a check of every field."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable
from typing import Any

from sparktune.events import Asked, Begun, Enqueued, Event, Limit, Stopped, Told, apply
from sparktune.journal.blobs import Blob
from sparktune.journal.fields import (
    ENDED,
    FORMAT,
    HEADER,
    RUN,
    STATUSES,
    TOLD,
    TRIAL,
    WITH_BUDGETS,
    checked,
    is_int,
    status_text,
)
from sparktune.journal.values import decode
from sparktune.trial import Failure, Header, Outcome, State, Status, Trial

START = b'{"sparktune":'

_decode_json = json.JSONDecoder().decode

_MARKED = {"loss", "result", "attachments"}


class Reader:
    """Converts the lines of a journal, from the first one, to events.

    Args:
        journal: path or URL of the journal, beside which large values are.

    Attributes:
        events: the events of the lines so far.
        number, size: the number of lines so far, and their size in bytes.
    """

    def __init__(self, journal: str) -> None:
        self.events: list[Event] = []
        self.number = self.size = 0
        self._journal = journal
        self._header: Header | None = None
        self._records: dict[Any, Trial] = {}

    def take(self, line: bytes) -> None:
        """Read one line.

        Raises:
            ValueError, TypeError, RecursionError: the line is not valid in a journal.
        """
        entry = _decode_json(line.decode())
        if type(entry) is not dict:
            raise ValueError(f"it has {reprlib.repr(entry)} instead of an object with fields")
        for event in self._events(entry, b'"$' in line):
            apply(self._records, event)
            self.events.append(event)
        self.number += 1
        self.size += len(line)

    def _events(self, entry: dict[str, Any], marked: bool) -> Iterable[Event]:
        if self._header is None:
            self._header = _read_header(entry)
            return [Begun(self._header)]
        match entry:  # the most frequent first
            case {"told": dict(told)} if len(entry) == 1:
                if marked:  # decoding costs as much as all the rest
                    told |= {
                        name: decode(told[name], self._journal) for name in _MARKED & told.keys()
                    }
                return [self._told_event(checked(told, TOLD, ("id", "status")))]
            case {"asked": list(asked)} if len(entry) == 1:
                return [Asked(self._trial(each, Status.RUNNING)) for each in asked]
            case {"asked": list(asked), "enqueued": list(enqueued)} if len(entry) == 2:
                waiting = [Enqueued(self._trial(each)) for each in enqueued]
                return [*waiting, *[Asked(self._trial(each, Status.RUNNING)) for each in asked]]
            case {"run": run} if len(entry) == 1:
                limit = Limit(**checked(run, RUN, ("max_evals", "end")))
                return [Begun(self._header, limit)]
            case {"stopped": str(reason)} if len(entry) == 1:
                return [Stopped(reason)]
        raise ValueError(f"it is not a line of a journal: {reprlib.repr(entry)}")

    def _trial(self, fields: Any, status: Status = Status.NEW) -> Trial:
        trial = Trial(status=status, **checked(fields, TRIAL, ("id", "values")))
        known = self._records.get(trial.id)
        if known and not known.status.pending:
            raise ValueError(f"trial {trial.id!r:.40} ended before; did two runs write at once?")
        return trial

    def _told_event(self, told: dict[str, Any]) -> Told:
        id, status, failure = told.pop("id"), ENDED[told.pop("status")], told.pop("failure", None)
        before = self._records.get(id)
        if before is None:
            raise ValueError(f"trial {id!r:.40} was never asked for")
        if not before.status.pending:
            raise ValueError(f"trial {id!r:.40} ended before; did two runs write at once?")
        loss = told.get("loss")
        if status is Status.OK and (loss is None or loss != loss):
            raise ValueError("its loss is missing")
        if "result" in told:
            told["result"] = _result(told["result"], status, loss)
        if state := told.pop("state", None):
            told["state"] = State(*state)
        outcome = Outcome(id, status, failure=Failure(*failure) if failure else None, **told)
        return Told(before.told(outcome), outcome)


def _read_header(entry: dict[str, Any]) -> Header:
    if "sparktune" not in entry:
        raise ValueError("the header of a journal was expected")
    version = entry.pop("sparktune")
    if is_int(version) and version > WITH_BUDGETS:
        raise ValueError("it was written by a newer sparktune; update this one")
    if type(version) is not int or version not in (FORMAT, WITH_BUDGETS):
        raise ValueError(f"its version cannot be {reprlib.repr(version)}")
    return Header(**checked(entry, HEADER, ("objective", "seed", "space", "columns", "created")))


def _result(result: Any, status: Status, loss: Any) -> dict[Any, Any]:
    """A result with its status, and with its loss if that is usable."""
    if isinstance(result, Blob):  # version 0.1 stored results so if a key was not a text
        result = {"result": result}
    if status.returned:
        result.setdefault("status", status_text(status))
        if result["status"] not in STATUSES:
            raise ValueError(f"the status of its result is {reprlib.repr(result['status'])}")
    usable = result.setdefault("loss", loss) if status is Status.OK else 0.0
    if type(usable) not in (int, float) or usable != usable:
        raise ValueError(f"the loss of its result is {reprlib.repr(result['loss'])}")
    known: dict[Any, Any] = result
    return known
