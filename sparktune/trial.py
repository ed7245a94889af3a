"""What happens to one evaluation: its record, its end, and the events between.

A `Trial` is the record of one evaluation and is never changed in place: a new record replaces the
old one. Executors turn a trial into an `Outcome`; a study turns asks and outcomes into events, and
events into records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

STATUS_NEW = "new"
STATUS_RUNNING = "running"
STATUS_SUSPENDED = "suspended"
STATUS_OK = "ok"
STATUS_FAIL = "fail"

JOB_STATE_NEW = 0
JOB_STATE_RUNNING = 1
JOB_STATE_DONE = 2
JOB_STATE_ERROR = 3
JOB_STATE_CANCEL = 4

Scalar = int | float


class Status(str, Enum):
    """Where a trial stands, or how it ended."""

    NEW = "new"  # known, not handed to an executor yet
    RUNNING = "running"  # handed to an executor
    OK = "ok"  # the objective returned a usable loss
    FAIL = "fail"  # the objective returned, but says it failed or gave no usable loss
    ERROR = "error"  # the objective raised, or returned what is not a result
    CRASHED = "crashed"  # its process died, or Spark could not run it
    TIMEOUT = "timeout"  # it ran longer than trial_timeout
    CANCELLED = "cancelled"  # the run ended before it did

    @property
    def pending(self) -> bool:
        """Whether a result may still come."""
        return self in (Status.NEW, Status.RUNNING)

    @property
    def returned(self) -> bool:
        """Whether the objective returned a result, good or bad."""
        return self in (Status.OK, Status.FAIL)

    @property
    def job_state(self) -> int:
        """Hyperopt's `JOB_STATE_*` for this status."""
        return _JOB_STATES[self]


_JOB_STATES = {
    Status.NEW: JOB_STATE_NEW,
    Status.RUNNING: JOB_STATE_RUNNING,
    Status.OK: JOB_STATE_DONE,
    Status.FAIL: JOB_STATE_DONE,
    Status.ERROR: JOB_STATE_ERROR,
    Status.CRASHED: JOB_STATE_ERROR,
    Status.TIMEOUT: JOB_STATE_ERROR,
    Status.CANCELLED: JOB_STATE_CANCEL,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a trial gave no usable loss: `type` (a class name), `message`, and `traceback` text."""

    type: str
    message: str
    traceback: str = ""

    def __str__(self) -> str:
        return self.traceback.rstrip() or f"{self.type}: {self.message}"


@dataclass(frozen=True, slots=True)
class State:
    """What an evaluation left for the next one of its configuration.

    Attributes:
        name: of its file.
        size: bytes.
        shared: whether workers wrote it, into the folder that is given as `checkpoints`.
    """

    name: str
    size: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a trial as an executor reports it.

    `started` and `finished` are seconds since the epoch, `result` is what the objective returned,
    as a dict. `exception` is the objective's own exception where it ran in this process; neither it
    nor `attachments` (objects by name, which the objective returned beside its result) is part of
    the trial's record. `log` is the end of what it printed on a worker. `state` is what it left for
    the next evaluation of its configuration: its content until it stands in a file. `anew` says
    that it began at 0 because the state before was lost.
    """

    trial_id: int
    status: Status
    loss: float | None = None
    result: Mapping[str, Any] | None = None
    failure: Failure | None = None
    started: float | None = None
    finished: float | None = None
    exception: BaseException | None = None
    attachments: Mapping[str, Any] | None = None
    log: str = ""
    state: State | bytes | None = None
    anew: bool = False

    @staticmethod
    def of(trial_id: int, report: Mapping[str, Any]) -> Outcome:
        """The outcome that a worker's report describes."""
        failure, state = report.get("failure"), report.get("state")
        return Outcome(
            trial_id,
            Status(report["status"]),
            report.get("loss"),
            report.get("result"),
            Failure(*failure) if failure else None,
            report.get("started"),
            report.get("finished"),
            report.get("exception"),
            report.get("attachments"),
            report.get("log", ""),
            State(state[0], state[1], True) if isinstance(state, tuple) else state,
            report.get("anew", False),
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """The record of one evaluation.

    `values` maps each active label to a Python scalar (for `hp.choice`, the option's index); times
    are seconds since the epoch; `budget` is in the units of the study's scheduler, 1.0 without one;
    `log` is the end, at most 64 kB, of what the objective wrote to stdout and stderr on a Spark
    worker. `parent` is the id of the trial of the same configuration at the next smaller budget,
    None where there is none; `explore` whether the point was drawn from the space's priors because
    the scheduler wanted that; `state` the file of what it left for the next evaluation; `anew`
    whether it began at 0 because the state that its parent had left was lost.
    """

    id: int
    values: Mapping[str, Scalar]
    status: Status = Status.NEW
    budget: float = 1.0
    loss: float | None = None
    result: Mapping[str, Any] | None = None
    failure: Failure | None = None
    asked: float | None = None
    started: float | None = None
    finished: float | None = None
    log: str = ""
    parent: int | None = None
    explore: bool = False
    state: State | None = None
    anew: bool = False

    @property
    def last_lines(self) -> str:
        """The last 20 lines of the objective's output under a heading, or ""."""
        lines = self.log.splitlines()[-20:]
        return "".join(["\nIt wrote last:", *(f"\n    {line}" for line in lines)] if lines else [])

    def outcome(self, attachments: Mapping[str, Any] | None = None) -> Outcome:
        """The outcome that `told` makes this record of."""
        return Outcome(
            self.id,
            self.status,
            self.loss,
            self.result,
            self.failure,
            self.started,
            self.finished,
            attachments=attachments,
            log=self.log,
            state=self.state,
            anew=self.anew,
        )

    def told(self, outcome: Outcome) -> Trial:
        """This record after its outcome."""
        return Trial(
            self.id,
            self.values,
            outcome.status,
            self.budget,
            outcome.loss,
            outcome.result,
            outcome.failure,
            self.asked,
            outcome.started,
            outcome.finished,
            outcome.log,
            self.parent,
            self.explore,
            outcome.state if isinstance(outcome.state, State) else None,
            outcome.anew,
        )

    @property
    def handed_out(self) -> Trial:
        """This record as it was before its outcome."""
        return Trial(
            self.id,
            self.values,
            Status.RUNNING,
            self.budget,
            asked=self.asked,
            parent=self.parent,
            explore=self.explore,
        )


def has_budget(trial: Trial) -> bool:
    """Whether a scheduler gave this trial a budget of its own."""
    return trial.budget != 1.0 or trial.parent is not None or trial.explore


def next_id(ids: Iterable[Any]) -> int:
    """The smallest id above all of these. Documents of Hyperopt may have ids that are not
    integers; they do not count.
    """
    return 1 + max((id for id in ids if isinstance(id, int)), default=-1)


@dataclass(frozen=True)
class Header:
    """What a study is about.

    Attributes:
        objective: the name of the objective.
        seed: of the study.
        space: fingerprint of the space; "" if unknown.
        columns: {label: description} of its parameters, to tell which ones differ.
        created: seconds since the epoch.
        options: {label: options} of its choices, for people: plain values, others as texts.
        ladder: the budgets that its scheduler gives, smallest first; empty for full evaluations
            alone.
    """

    objective: str
    seed: int
    space: str
    columns: Mapping[str, str]
    created: float
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ladder: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a run goes: `max_evals` as it was given, and `end`, the number of trials at its end,
    failed ones included and cancelled ones not. None: no limit.
    """

    max_evals: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A study began, or, with a limit, a run of it."""

    header: Header
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A trial waits, to be handed out before others are suggested; `trial` is its record."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial was handed out for evaluation; `trial` is its record from now on."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Told:
    """A trial ended; `trial` is its record from now on."""

    trial: Trial
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run ended, for `reason`."""

    reason: str


Event = Begun | Enqueued | Asked | Told | Stopped


def apply(records: MutableMapping[Any, Trial], event: Event) -> None:
    """Bring records, by id, up to date with an event. Nothing else changes records, live or from a
    journal.
    """
    if not isinstance(event, (Begun, Stopped)):
        records[event.trial.id] = event.trial


def attach(attachments: MutableMapping[str, Any], outcome: Outcome) -> None:
    """Keep what an objective attached to its result, by `ATTACH::<id>::<name>`."""
    for name, value in (outcome.attachments or {}).items():
        attachments[f"ATTACH::{outcome.trial_id}::{name}"] = value


def retold(
    records: Mapping[Any, Trial], attachments: Mapping[str, Any] | None = None
) -> Iterator[Event]:
    """Events that lead to these records, trial by trial: applying them gives equal records.

    Args:
        attachments: by `ATTACH::<id>::<name>`; they become part of the outcomes.
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
    """The last `Begun` of these events, of a run or of the study; None if there is none."""
    return next((each for each in reversed([*events]) if isinstance(each, Begun)), None)
