"""Candidates that get their folds one after the other: each fold is a trial, whose result holds
the folds before it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sparktune import worker
from sparktune.executors.platforms import Platform
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.sklearn.predictions import answers
from sparktune.sklearn.rows import folds_before
from sparktune.study import Study
from sparktune.trial import Outcome, Trial


@dataclass(frozen=True, slots=True)
class OneByOne:
    """Another platform, whose outcomes of single folds become those of all folds so far.

    Args:
        on: where folds are evaluated.
        merge: makes one result of the outcomes of folds.
        study: has the results of the folds before.
    """

    on: Platform
    merge: Callable[[Sequence[Outcome]], Any]
    study: Study

    @property
    def parallelism(self) -> int | str:
        """As the other platform."""
        return self.on.parallelism

    def open(self, task: Task) -> Executor:
        """The other platform's executor."""
        return _Adding(self.on.open(task), self.merge, self.study)


class _Adding:
    """An executor that adds the folds before to each outcome."""

    def __init__(
        self, inner: Executor, merge: Callable[[Sequence[Outcome]], Any], study: Study
    ) -> None:
        self._inner = inner
        self._merge = merge
        self._study = study

    @property
    def slots(self) -> int:
        """As the other executor."""
        return self._inner.slots

    @property
    def running(self) -> int:
        """As the other executor."""
        return self._inner.running

    def submit(self, trial: Trial) -> None:
        """Take a trial."""
        self._inner.submit(trial)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Ended trials."""
        return [self._added(outcome) for outcome in self._inner.collect(timeout)]

    def cancel(self, ids: Iterable[int]) -> None:
        """Ask for the end of trials."""
        self._inner.cancel(ids)

    def close(self) -> None:
        """Close the other executor."""
        self._inner.close()

    def _added(self, outcome: Outcome) -> Outcome:
        if not outcome.status.returned:
            return outcome
        parent = self._study.records[outcome.trial_id].parent
        try:
            report = worker.read(self._merge([*self._before(parent), outcome]))
        except Exception as error:
            report = worker.failed(error)
        added = Outcome.of(outcome.trial_id, report)
        return replace(added, started=outcome.started, finished=outcome.finished, log=outcome.log)

    def _before(self, parent: int | None) -> Sequence[Outcome]:
        """The folds that an earlier trial holds, as an outcome of their own."""
        if parent is None:
            return ()
        trial = self._study.records[parent]
        result = {"folds": folds_before(trial, answers(self._study, parent))}
        return (replace(trial.outcome(), result=dict(trial.result or {}) | result),)
