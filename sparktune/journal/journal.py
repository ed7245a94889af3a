"""The lines of a journal: read into events, written from events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.journal.files import Files, Local, WholeObjects, files_at
from sparktune.journal.values import decoder, encode
from sparktune.trial import (
    Asked,
    Begun,
    Enqueued,
    Event,
    Failure,
    Header,
    Limit,
    Outcome,
    Status,
    Stopped,
    Told,
    Trial,
    apply,
)

FORMAT = 1


class _Lines:
    """Lines of a journal, from the first on, as events.

    Attributes:
        header: of the first line; None before it.
        events: so far.
        number, size: how many lines there were so far, and their bytes.
    """

    def __init__(self) -> None:
        self.header: Header | None = None
        self.events: list[Event] = []
        self.number = self.size = 0
        self._records: dict[Any, Trial] = {}

    def take(self, entry: dict[str, Any], size: int) -> None:
        """Take in a line of so many bytes."""
        for event in self._events(entry):
            apply(self._records, event)
            self.events.append(event)
        self.number += 1
        self.size += size

    def _events(self, entry: dict[str, Any]) -> Iterable[Event]:
        if self.header is None:
            self.header = _header(entry)
            return [Begun(self.header)]
        if "asked" in entry:
            waiting = [Enqueued(Trial(**given)) for given in entry.get("enqueued", ())]
            asked = [Asked(Trial(status=Status.RUNNING, **given)) for given in entry["asked"]]
            return [*waiting, *asked]
        if "told" in entry:
            return [self._told(entry["told"])]
        if "run" in entry:
            return [Begun(self.header, Limit(**entry["run"]))]
        return [Stopped(entry["stopped"])]

    def _told(self, told: dict[str, Any]) -> Told:
        id, status, failure = told.pop("id"), Status(told.pop("status")), told.pop("failure", None)
        outcome = Outcome(id, status, failure=Failure(*failure) if failure else None, **told)
        return Told(self._records[id].told(outcome), outcome)


def _header(entry: dict[str, Any]) -> Header:
    if entry.pop("sparktune") != FORMAT:
        raise InvalidArgument("it was written by a newer sparktune; update this one")
    return Header(**entry)


def read(path: str) -> list[Event]:
    """What the journal at a path, or URL, tells, in order; nothing if there is none.

    The first event is `Begun` without a limit; each run after it begins with a limit. A last line
    that was cut off is left out.

    Raises:
        InvalidArgument: another line cannot be read; the message has its number.
    """
    return _read(files_at(path), path).events


_START = b'{"sparktune":'


def _read(files: Files, path: str) -> _Lines:
    known = _Lines()
    decode = decoder(files.get)
    *lines, rest = files.read().split(b"\n")  # rest: nothing, or a line that was cut off
    try:
        for line in lines:
            hook = decode if b'"$' in line else None  # which costs as much as all the rest
            known.take(json.loads(line.decode(), object_hook=hook), len(line) + 1)
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(path, known.number + 1, error) from error
    if known.header is None and not (rest.startswith(_START) or _START.startswith(rest)):
        raise _broken(path, 1, ValueError("it is no header of a journal"))
    return known


def _broken(path: str, number: int, error: Exception) -> InvalidArgument:
    return InvalidArgument(
        f"{path} cannot be read as a journal: line {number} is broken ({error}). Give another "
        "path, or repair the file"
    )


class Journal:
    """A journal that is written: called with events, it adds them.

    Args:
        path: a path, or a URL that fsspec knows.
        anew: whether to replace what is there, in one step when it is closed.

    Attributes:
        events: what was there before, as `read` gives it.

    Raises:
        InvalidArgument: it cannot be read, or is in use by another run.
        JournalFailed: it cannot be written.
    """

    def __init__(self, path: str, *, anew: bool = False) -> None:
        self.path = path
        self._files = WholeObjects(Local(Path(path))) if anew else files_at(path)
        self._error: JournalFailed | None = None
        self._files.open()
        try:
            known = _Lines() if anew else _read(self._files, path)
            self._files.cut(known.size)
        except BaseException:
            self._files.close()
            raise
        self.events = known.events
        self._has_header = known.header is not None

    def __call__(self, events: Sequence[Event]) -> None:
        """Write events; trials that are asked for one after the other as one line.

        A result that cannot be written is not lost to the run that has it: the error is raised when
        that run asks for more, or closes the journal.

        Raises:
            JournalFailed: it cannot be written, now or before.
        """
        decides = any(not isinstance(event, (Told, Stopped)) for event in events)
        if decides:
            self._raise()
        for kind, group in groupby(events, type):
            if kind in (Asked, Enqueued):  # trials that are handed out at once are one decision
                name = kind.__name__.lower()
                trials = [_asked(event.trial) for event in group if isinstance(event, kind)]
                self._write({"asked": []} | {name: trials})
            else:
                for event in group:
                    self._add(event)
        if decides:
            self._raise()

    def _add(self, event: Event) -> None:
        match event:
            case Begun(header, limit):
                if not self._has_header:
                    self._write({"sparktune": FORMAT} | asdict(header))
                    self._has_header = True
                if limit:
                    self._write({"run": asdict(limit)})
            case Told(trial, outcome):
                self._tell(trial, outcome.attachments or {})
            case Stopped(reason):
                self._write({"stopped": reason})

    def _tell(self, trial: Trial, attachments: Mapping[str, Any]) -> None:
        try:
            self._write({"told": self._told(trial, attachments)})
        except JournalFailed as error:
            self._error = error

    def _raise(self) -> None:
        if self._error:
            raise self._error

    def _told(self, trial: Trial, attachments: Mapping[str, Any]) -> dict[str, Any]:
        failure = trial.failure and [*asdict(trial.failure).values()]
        told = {
            "id": trial.id,
            "status": trial.status.value,
            "loss": encode(trial.loss, self._files.put),
            "result": encode(trial.result, self._files.put),
            "failure": failure,
            "attachments": encode(dict(attachments), self._files.put),
            "started": trial.started,
            "finished": trial.finished,
            "log": trial.log,
        }
        return {key: value for key, value in told.items() if value not in (None, {}, "")}

    def _write(self, entry: dict[str, Any]) -> None:
        if self._error:
            return
        try:
            self._files.append(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        except JournalFailed as error:
            self._error = error

    def close(self) -> None:
        """End writing.

        Raises:
            JournalFailed: not everything could be written.
        """
        self._files.close()
        self._raise()


def _asked(trial: Trial) -> dict[str, Any]:
    entry = {"id": trial.id, "values": dict(trial.values), "asked": trial.asked}
    return entry if trial.budget == 1.0 else entry | {"budget": trial.budget}


class NoJournal:
    """Keeps nothing."""

    path = ""
    events: Sequence[Event] = ()

    def __call__(self, events: Sequence[Event]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


Book: TypeAlias = Journal | NoJournal
