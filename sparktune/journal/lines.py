"""Conversion of events to the lines of a journal, and of lines to events with a check of every
field.
"""

from __future__ import annotations

import json
import logging
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.journal.blobs import Blob
from sparktune.journal.fields import (
    ENDED,
    HEADER,
    RUN,
    TOLD,
    TRIAL,
    checked,
    is_int,
    is_plain,
    is_time,
)
from sparktune.journal.places import Place
from sparktune.journal.values import Encoder, decode
from sparktune.trial import (
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_SUSPENDED,
    Asked,
    Begun,
    Enqueued,
    Event,
    Failure,
    Header,
    Limit,
    Outcome,
    State,
    Status,
    Stopped,
    Told,
    Trial,
    apply,
)

logger = logging.getLogger("sparktune")

_decode_json = json.JSONDecoder().decode
_encode_json = json.JSONEncoder(separators=(",", ":")).encode

FORMAT = 1
WITH_BUDGETS = 2  # the format of a journal whose scheduler gives budgets
START = b'{"sparktune":'

_STATUSES = (STATUS_NEW, STATUS_RUNNING, STATUS_SUSPENDED, STATUS_OK, STATUS_FAIL)
_INFINITE = ({"$float": "inf"}, {"$float": "-inf"})

_MARKED = {"loss", "result", "attachments"}


class Writer:
    """Converts events to lines.

    Args:
        place: the place of the journal; large values are stored beside it.
        begun: whether the journal already has a header.
    """

    def __init__(self, place: Place, begun: bool = False) -> None:
        self._encoder = Encoder(place)
        self._begun = begun
        self._reported: set[str] = set()

    def lines(self, events: Iterable[Event]) -> Iterator[bytes]:
        """The lines of events. Consecutive trials that are handed out are one decision, and one
        line.

        Raises:
            InvalidArgument: a trial has a value that is not a number, which no reader accepts.
            JournalFailed: a large value cannot be written.
        """
        for kind, group in groupby(events, type):
            if kind in (Asked, Enqueued):  # old versions ignore "enqueued", and read no trials
                trials = [_trial(event.trial) for event in group if isinstance(event, kind)]
                yield _line({"asked": []} | {kind.__name__.lower(): trials})
            else:
                for event in group:
                    yield from map(_line, self._entries(event))

    def _entries(self, event: Event) -> Iterator[dict[str, Any]]:
        match event:
            case Begun(header, limit):
                if not self._begun:
                    self._begun = True
                    version = WITH_BUDGETS if header.ladder else FORMAT
                    yield {"sparktune": version} | _header(header)
                if limit:
                    yield {"run": asdict(limit)}
            case Told(trial, outcome):
                yield {"told": self._end_fields(trial, outcome.attachments or {})}
            case Stopped(reason):
                yield {"stopped": str(reason)}

    def _end_fields(self, trial: Trial, attachments: Mapping[Any, Any]) -> dict[str, Any]:
        told = {"id": _plain(trial.id), "status": trial.status.value}
        if trial.loss is not None:
            told["loss"] = self._encoder.value(trial.loss, "the loss")
        if trial.result is not None:
            told["result"] = self._result(trial, trial.result)
        if trial.failure:
            told["failure"] = [str(part) for part in asdict(trial.failure).values()]
        if attachments:
            named = {f"{name}": value for name, value in attachments.items()}
            told["attachments"] = self._encoder.items(named, "attachments")
        times = {"started": _time(trial.started), "finished": _time(trial.finished)}
        told |= {name: time for name, time in times.items() if time is not None}
        if trial.state:
            told["state"] = [*asdict(trial.state).values()]
        if trial.anew:
            told["anew"] = True
        self._report(trial)
        return told | ({"log": str(trial.log)} if trial.log else {})

    def _result(self, trial: Trial, result: Mapping[Any, Any]) -> dict[str, Any]:
        """A result whose status and loss `Reader` accepts, whatever types they have."""
        encoded = self._encoder.items(result, "result")
        if trial.status.returned and encoded.get("status") not in _STATUSES:
            encoded["status"] = _status(trial.status)
        loss = encoded.get("loss")
        if trial.status is Status.OK and type(loss) not in (int, float) and loss not in _INFINITE:
            encoded["loss"] = self._encoder.value(trial.loss, "the loss")
        return encoded

    def _report(self, trial: Trial) -> None:
        """Log which values could not be stored: a warning the first time, then at level DEBUG."""
        lost, self._encoder.lost = self._encoder.lost, []
        new = [each for each in lost if each not in self._reported]
        self._reported.update(new)
        if lost:
            logger.log(
                logging.WARNING if new else logging.DEBUG,
                "trial %s is stored without the values that cannot be pickled: %s",
                trial.id,
                "; ".join(lost),
            )


def _line(entry: dict[str, Any]) -> bytes:
    return _encode_json(entry).encode() + b"\n"


def _trial(trial: Trial) -> dict[str, Any]:
    values = {label: _number(value) for label, value in trial.values.items()}
    entry = {"id": _plain(trial.id), "values": values, "asked": _time(trial.asked)}
    if trial.budget != 1.0:
        entry["budget"] = float(trial.budget)
    if trial.parent is not None:
        entry["parent"] = _plain(trial.parent)
    if trial.explore:
        entry["explore"] = True
    if wrong := [name for name, value in entry.items() if not TRIAL[name](value)]:
        raise InvalidArgument(
            f"trial {trial.id} cannot be written to a journal: its field {wrong[0]!r} cannot be "
            f"{reprlib.repr(getattr(trial, wrong[0]))}"
        )
    return entry


def _header(header: Header) -> dict[str, Any]:
    options = {
        label: [_plain(each) if is_plain(_plain(each)) else f"{each!r:.200}" for each in known]
        for label, known in header.options.items()
    }
    certain = {"objective": str(header.objective), "created": _time(header.created) or 0.0}
    entry = asdict(header) | certain | {"options": options}
    entry["ladder"] = list(map(float, header.ladder))
    return entry if header.ladder else {k: v for k, v in entry.items() if k != "ladder"}


def _plain(value: Any) -> Any:
    """A scalar of numpy as the Python scalar; other values unchanged."""
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def _number(value: Any) -> Any:
    if type(value) is float:  # the most frequent type
        return value
    plain = _plain(value)
    return int(plain) if type(plain) is bool else plain


def _status(status: Status) -> str:
    return STATUS_OK if status is Status.OK else STATUS_FAIL


def _time(seconds: Any) -> float | None:
    return seconds if seconds is not None and is_time(seconds) else None


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
        result.setdefault("status", _status(status))
        if result["status"] not in _STATUSES:
            raise ValueError(f"the status of its result is {reprlib.repr(result['status'])}")
    usable = result.setdefault("loss", loss) if status is Status.OK else 0.0
    if type(usable) not in (int, float) or usable != usable:
        raise ValueError(f"the loss of its result is {reprlib.repr(result['loss'])}")
    known: dict[Any, Any] = result
    return known
