"""The events of a study: everything that changes it, and what each changes.

A run and the replay of a journal apply the same events, so both lead to the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from sparktune.trial import Header, Outcome, Status, Trial


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of a run: `max_evals` as given, and `end`, the number of trials in the study at its
    end, including failed ones, without cancelled ones. None: no limit.
    """

    max_evals: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The study began; with a limit: a run of the study began."""

    header: Header
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A trial was queued, to be handed out before new ones are suggested; `trial` is its record."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial was handed out for evaluation; `trial` is its new record."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Told:
    """A trial ended; `trial` is its new record."""

    trial: Trial
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run ended; `reason` is the text of the reason."""

    reason: str


Event = Begun | Enqueued | Asked | Told | Stopped


def apply(records: MutableMapping[Any, Trial], event: Event) -> None:
    """Update {id: Trial} with an event. Nothing else changes records, in a run or in a replay."""
    if not isinstance(event, (Begun, Stopped)):
        records[event.trial.id] = event.trial


def attach(attachments: MutableMapping[str, Any], outcome: Outcome) -> None:
    """Add the attachments of an outcome, with keys `ATTACH::<id>::<name>`."""
    for name, value in (outcome.attachments or {}).items():
        attachments[f"ATTACH::{outcome.trial_id}::{name}"] = value


def retold(
    records: Mapping[Any, Trial], attachments: Mapping[str, Any] | None = None
) -> Iterator[Event]:
    """The events whose application gives equal records, trial by trial.

    Args:
        records: {id: Trial}.
        attachments: {"ATTACH::<id>::<name>": value}, which become part of the outcomes.
    """
    named: dict[str, dict[str, Any]] = {}
    for key, value in (attachments or {}).items():
        match key.split("::", 2):
            case ["ATTACH", id, name]:
                named.setdefault(id, {})[name] = value
    for trial in records.values():
        if trial.status is Status.NEW:
            yield Enqueued(trial)
            continue
        yield Asked(trial.handed_out)
        if not trial.status.pending:
            yield Told(trial, trial.outcome(named.get(str(trial.id))))


def begin_of(events: Iterable[Event]) -> Begun | None:
    """The last `Begun` of the events, of a run or of the study; None if there is none."""
    return next((each for each in reversed([*events]) if isinstance(each, Begun)), None)
