"""Trials that crash, raise or run out of time, recorded as hyperopt-sklearn records them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparktune.budgets.keeping import Keeping
from sparktune.executors.platforms import Platform
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status

_ENDS = (Status.ERROR, Status.CRASHED, Status.TIMEOUT)


@dataclass(frozen=True, slots=True)
class AsFailures:
    """A platform on which a trial without a result has one with status "fail" and a `failure`."""

    on: Platform

    @property
    def parallelism(self) -> int | str:
        """That of the platform."""
        return self.on.parallelism

    def open(self, task: Task) -> Executor:
        """The executor of the platform, with other outcomes."""
        return Keeping(self.on.open(task), _as_failure)


def _as_failure(outcome: Outcome) -> Outcome:
    if outcome.status not in _ENDS or outcome.failure is None:
        return outcome
    failure = outcome.failure
    text = "TimeOut" if outcome.status is Status.TIMEOUT else f"{failure.type}: {failure.message}"
    result = {"status": "fail", "failure": text, "traceback": str(failure)}
    return replace(outcome, status=Status.FAIL, result=result)
