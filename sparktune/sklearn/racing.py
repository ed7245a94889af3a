"""Candidates that get their folds one after the other: each fold is a trial, whose result holds
the folds before it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sparktune.budgets.keeping import Keeping
from sparktune.executors.platforms import Platform
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.sklearn.predictions import answers
from sparktune.sklearn.rows import folds_before, merged
from sparktune.study import Study
from sparktune.trial import Outcome


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
        """The parallelism of the other platform."""
        return self.on.parallelism

    def open(self, task: Task) -> Executor:
        """The other platform's executor, which adds the folds before to each outcome."""
        return Keeping(self.on.open(task), self._added)

    def _added(self, outcome: Outcome) -> Outcome:
        if not outcome.status.returned:
            return outcome
        parent = self.study.records[outcome.trial_id].parent
        return merged(outcome, self.merge, [*self._before(parent), outcome])

    def _before(self, parent: int | None) -> Sequence[Outcome]:
        """The folds that an earlier trial holds, as an outcome of their own."""
        if parent is None:
            return ()
        trial = self.study.records[parent]
        result = {"folds": folds_before(trial, answers(self.study, parent))}
        return (replace(trial.outcome(), result=dict(trial.result or {}) | result),)
