"""The lines of a journal: read into records, written from events, checked against a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.journal.files import Files, Local, WholeObjects, files_at
from sparktune.journal.values import decoder, encode
from sparktune.trial import Asked, Event, Failure, Status, Stopped, Told, Trial

FORMAT = 1


@dataclass(frozen=True)
class Header:
    """What a journal is about.

    Attributes:
        objective: the name of the objective.
        seed: of the study.
        space: fingerprint of the space.
        columns: {label: description} of its parameters, to tell which ones differ.
        created: seconds since the epoch.
        options: {label: options} of its choices, for people: plain values, others as texts.
    """

    objective: str
    seed: int
    space: str
    columns: Mapping[str, str]
    created: float
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def check(self, other: Header, path: str) -> None:
        """Refuse to go on with a study that differs.

        Raises:
            InvalidArgument: the space differs; the message names the parameters.
        """
        if self.space in ("", other.space):
            return
        old, new = self.columns, other.columns
        changes = [f"{label}: {old[label]} is gone" for label in old if label not in new]
        changes += [f"{label}: {new[label]} is new" for label in new if label not in old]
        changes += [
            f"{label}: {old[label]} is now {new[label]}"
            for label in new
            if label in old and old[label] != new[label]
        ]
        raise InvalidArgument(
            f"the journal {path} belongs to another search space ({'; '.join(changes)}); go on "
            "with the space it was made for, or give another path"
        )


@dataclass
class Kept:
    """What a journal holds.

    Attributes:
        header: its first line; None if there is none.
        records: the trials at its end, by id.
        attachments: what objectives attached, as in `Trials.attachments`.
        stop_reason: why its last run stopped; None if it was cut off, or there was none.
        max_evals, end: the limit of its last run, and how many trials there were to be at its end,
            failed ones included and cancelled ones not; None: no limit.
        size: bytes up to the end of its last good line.
    """

    header: Header | None = None
    records: dict[Any, Trial] = field(default_factory=dict)
    attachments: dict[str, Any] = field(default_factory=dict)
    stop_reason: str | None = None
    max_evals: int | None = None
    end: int | None = None
    size: int = 0

    def take(self, entry: dict[str, Any]) -> None:
        """Take in a line."""
        if "asked" in entry:
            for given in entry["asked"]:
                self.records[given["id"]] = Trial(status=Status.RUNNING, **given)
        elif "told" in entry:
            self._tell(entry["told"])
        elif "run" in entry:
            self.max_evals, self.end = entry["run"]["max_evals"], entry["run"]["end"]
            self.stop_reason = None
        elif "stopped" in entry:
            self.stop_reason = entry["stopped"]
        else:
            self.header = _header(entry)

    def _tell(self, told: dict[str, Any]) -> None:
        id, failure = told.pop("id"), told.pop("failure", None)
        for name, value in told.pop("attachments", {}).items():
            self.attachments[f"ATTACH::{id}::{name}"] = value
        before = self.records[id]
        self.records[id] = Trial(
            id,
            before.values,
            Status(told.pop("status")),
            before.budget,
            failure=Failure(*failure) if failure else None,
            asked=before.asked,
            **told,
        )


def _header(entry: dict[str, Any]) -> Header:
    if entry.pop("sparktune") != FORMAT:
        raise InvalidArgument("it was written by a newer sparktune; update this one")
    return Header(**entry)


def read(path: str) -> Kept:
    """What the journal at a path, or URL, holds; empty if there is none.

    A last line that was cut off is left out.

    Raises:
        InvalidArgument: another line cannot be read; the message has its number.
    """
    return _read(files_at(path), path)


_START = b'{"sparktune":'


def _read(files: Files, path: str) -> Kept:
    kept = Kept()
    decode = decoder(files.get)
    *lines, rest = files.read().split(b"\n")  # rest: nothing, or a line that was cut off
    for number, line in enumerate(lines, 1):
        try:
            hook = decode if b'"$' in line else None  # which costs as much as all the rest
            kept.take(json.loads(line.decode(), object_hook=hook))
            if kept.header is None:
                raise ValueError("it is no header of a journal")
        except (ValueError, KeyError, TypeError) as error:
            if kept.header and number == len(lines) and not rest:
                break  # the last line: a part of it was not written
            raise _broken(path, number, error) from error
        kept.size += len(line) + 1
    if kept.header is None and not (rest.startswith(_START) or _START.startswith(rest)):
        raise _broken(path, 1, ValueError("it is no header of a journal"))
    return kept


def _broken(path: str, number: int, error: Exception) -> InvalidArgument:
    return InvalidArgument(
        f"{path} cannot be read as a journal: line {number} is broken ({error}). Give another "
        "path, or repair the file"
    )


class Journal:
    """A journal that is written.

    Args:
        path: a path, or a URL that fsspec knows.
        anew: whether to replace what is there, in one step when it is closed.

    Attributes:
        path: where it is.
        kept: what was there before.

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
            self.kept = Kept() if anew else _read(self._files, path)
            self._files.cut(self.kept.size)
        except BaseException:
            self._files.close()
            raise

    def begin(self, header: Header, trials: Any, end: int | None, max_evals: int | None) -> None:
        """Write that a run begins, in a new journal after the header and the trials that were
        there before it.

        Raises:
            JournalFailed: it cannot be written.
        """
        if self.kept.header is None:
            self.write(header, trials)
        if end is not None:
            end -= sum(trial.status is Status.CANCELLED for trial in trials.records.values())
        self._write({"run": {"max_evals": max_evals, "end": end}})
        self._raise()

    def write(self, header: Header, trials: Any) -> None:
        """Write the header of a new journal, and what `trials` holds."""
        self._write({"sparktune": FORMAT} | asdict(header))
        for trial in trials.records.values():
            if trial.status is Status.NEW:
                continue  # nothing has happened to it
            self._write({"asked": [_asked(trial)]})
            if not trial.status.pending:
                prefix = f"ATTACH::{trial.id}::"
                named = {k: v for k, v in trials.attachments.items() if k.startswith(prefix)}
                self._tell(trial, {k.removeprefix(prefix): v for k, v in named.items()})

    def __call__(self, events: Sequence[Event]) -> None:
        """Write events of the study; the ones of one `ask` as one line.

        A result that cannot be written is not lost to the run that has it: the error is raised when
        that run asks for more, or closes the journal.

        Raises:
            JournalFailed: it cannot be written, now or before.
        """
        if asked := [_asked(event.trial) for event in events if isinstance(event, Asked)]:
            self._raise()
            self._write({"asked": asked})
            self._raise()
        for event in events:
            if isinstance(event, Told):
                self._tell(event.trial, event.outcome.attachments or {})
            elif isinstance(event, Stopped):
                self._write({"stopped": event.reason})

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

    def __init__(self) -> None:
        self.kept = Kept()

    def begin(self, header: Header, trials: Any, end: int | None, max_evals: int | None) -> None:
        """Nothing."""

    def __call__(self, events: Sequence[Event]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


Book: TypeAlias = Journal | NoJournal
