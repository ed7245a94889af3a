"""Conversion of events to the lines of a journal."""

from __future__ import annotations

import json
import logging
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.events import Asked, Begun, Enqueued, Event, Stopped, Told
from sparktune.journal.fields import (
    FORMAT,
    STATUSES,
    TRIAL,
    WITH_BUDGETS,
    is_plain,
    is_time,
    status_text,
)
from sparktune.journal.places import Place
from sparktune.journal.values import Encoder
from sparktune.told_noise import in_plain_numbers
from sparktune.trial import Header, Status, Trial

logger = logging.getLogger("sparktune")

_encode_json = json.JSONEncoder(separators=(",", ":")).encode

_INFINITE = ({"$float": "inf"}, {"$float": "-inf"})


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
        encoded = self._encoder.items({**result, **in_plain_numbers(result)}, "result")
        if trial.status.returned and encoded.get("status") not in STATUSES:
            encoded["status"] = status_text(trial.status)
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


def _time(seconds: Any) -> float | None:
    return seconds if seconds is not None and is_time(seconds) else None
