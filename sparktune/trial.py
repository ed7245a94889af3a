"""The record of one evaluation, its outcome, and the description of a study.

A `Trial` is the record of one evaluation. It is immutable: a new record replaces the old one.
Executors convert a trial to an `Outcome`; a study converts asks and outcomes to events
(`sparktune.events`), and events to records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """The state of a trial, or the way it ended."""

    NEW = "new"  # waits, not handed to an executor yet
    RUNNING = "running"  # handed to an executor
    OK = "ok"  # the objective returned a usable loss
    FAIL = "fail"  # the objective returned a status other than "ok", or NaN as the loss
    ERROR = "error"  # the objective raised, or returned an invalid result
    CRASHED = "crashed"  # its process died, or Spark could not run it
    TIMEOUT = "timeout"  # it ran longer than trial_timeout
    CANCELLED = "cancelled"  # the run ended before it did

    @property
    def pending(self) -> bool:
        """Whether the trial waits or runs, so that a result may still arrive."""
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
    """The reason why a trial has no usable loss.

    type         name of a class, usually of an exception
    message      text of the exception
    traceback    text of the traceback; "" if there is none
    """

    type: str
    message: str
    traceback: str = ""

    def __str__(self) -> str:
        return self.traceback.rstrip() or f"{self.type}: {self.message}"


@dataclass(frozen=True, slots=True)
class State:
    """The saved state of an evaluation, from which the next one of its configuration continues.

    Attributes:
        name: the name of its file.
        size: the size of the file in bytes.
        shared: whether a worker wrote it into the folder `checkpoints`.
    """

    name: str
    size: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a trial as an executor reports it.

    started, finished    seconds since the epoch
    result         the return value of the objective, as a dict
    exception      the objective's exception, if it ran in this process
    attachments    {name: object} that the objective returned with its result
    log            the end of the output of the objective on a worker
    state          the state for the next evaluation of the configuration; bytes until it is a file
    anew           whether the evaluation started over because the previous state was lost

    `exception` and `attachments` do not become part of the record.
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
        """The outcome of a trial from the report of a worker."""
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

    values     {label: Python scalar} of the active parameters; the index of the option for a choice
    budget     in the units of the study's scheduler, 1.0 without one
    asked, started, finished    seconds since the epoch
    log        the end of the objective's stdout and stderr on a Spark worker, at most 64 kB
    parent     id of the trial of the same configuration at the next smaller budget; None: none
    explore    whether the scheduler asked for a point from the priors
    state      the saved state for the next evaluation of the configuration
    anew       whether the evaluation started over because the parent's state was lost
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
        """The outcome from which `told` returns this record."""
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
        """The record of this trial after an outcome."""
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
        """The record of this trial before its outcome."""
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
    """Whether the trial is from a scheduler with several budgets."""
    return trial.budget != 1.0 or trial.parent is not None or trial.explore


def next_id(ids: Iterable[Any]) -> int:
    """The smallest integer above all ids. Documents of Hyperopt may have other ids, which are
    ignored.
    """
    return 1 + max((id for id in ids if isinstance(id, int)), default=-1)


@dataclass(frozen=True)
class Header:
    """The description of a study.

    Attributes:
        objective: the name of the objective.
        seed: the seed of the study.
        space: the fingerprint of the space; "" if unknown.
        columns: {label: description} of the parameters, for messages about differences.
        created: the time at which the study began, in seconds since the epoch.
        options: {label: names of the options} of the choices: plain values, others as texts.
        ladder: the budgets of the scheduler, smallest first; empty if it only gives full
            evaluations.
    """

    objective: str
    seed: int
    space: str
    columns: Mapping[str, str]
    created: float
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ladder: Sequence[float] = ()
