"""A platform on which either each fold is a task, or all folds of a candidate are one task,
depending on the time of a fold.

A task costs the driver some milliseconds. Where folds take less than some hundredths of a second,
that is more than what is gained by having them side by side.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sparktune.executors import parts
from sparktune.executors.platforms import Parts, Platform
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.sklearn.rows import ROW, merged
from sparktune.trial import Outcome, Trial

SHORT = 0.05
"""Seconds of a fold, on average, below which candidates are tasks."""

_RECENT = 20  # candidates whose folds are looked at


@dataclass(frozen=True, slots=True)
class ByTime:
    """Candidates with n folds on another platform. The objective is called with `part`, the number
    of a fold, or n for all folds.

    Args:
        on: the platform that evaluates them.
        n: folds of a candidate.
        merge: returns one result for the outcomes of the folds.
    """

    on: Platform
    n: int
    merge: Callable[[Sequence[Outcome]], Any]

    @property
    def parallelism(self) -> int | str:
        """The parallelism of the platform when it evaluates folds."""
        return Parts(self.on, self.n, self.merge).parallelism

    def open(self, task: Task) -> Executor:
        """The other platform's executor, which gets folds or candidates."""
        return _ByTime(self.on.open(parts.in_parts(task)), self.n, self.merge)


class _ByTime:
    """Switches from folds to candidates, or back, when no candidate is inside."""

    def __init__(self, inner: Executor, n: int, merge: Callable[..., Any]) -> None:
        self._inner = inner
        self._n = n
        self._merge = merge
        self._by_fold = parts.Parts(inner, n, merge)
        self._inside: set[Any] = set()
        self._seconds: deque[float] = deque(maxlen=_RECENT)
        self._folds = True

    @property
    def _now(self) -> Executor:
        return self._by_fold if self._folds else self._inner

    @property
    def _changes(self) -> bool:
        """Whether recent folds were so short, or so long, that the other unit is better."""
        by_fold = not self._seconds or fmean(self._seconds) >= SHORT
        return by_fold is not self._folds

    @property
    def slots(self) -> int:
        """The number of candidates that may be inside. Before a switch, no new ones are taken."""
        return len(self._inside) if self._changes else self._now.slots

    @property
    def running(self) -> int:
        """The number of candidates that are evaluated now."""
        return self._now.running

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """Set what is known about the next candidates."""
        self._now.expect(trials, ahead)

    def submit(self, trial: Trial) -> None:
        """Take a candidate."""
        self._inside.add(trial.id)
        if self._folds:
            self._by_fold.submit(trial)
        else:
            self._inner.submit(parts.part_of(trial, self._n, trial.id))

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Wait for ended candidates; return their outcomes."""
        ended = self._now.collect(timeout)
        if not self._folds:
            ended = [
                merged(each, self._merge, [each]) if each.status.returned else each
                for each in ended
            ]
        for outcome in ended:
            self._inside.discard(outcome.trial_id)
            row = (outcome.result or {}).get(ROW)
            if row:
                self._seconds.append(row["mean_fit_time"] + row["mean_score_time"])
        if self._changes and not self._inside:
            self._folds = not self._folds
        return ended

    def cancel(self, ids: Iterable[int]) -> None:
        """Cancel these candidates."""
        self._now.cancel(ids)

    def close(self) -> None:
        """Close the other executor."""
        self._now.close()
