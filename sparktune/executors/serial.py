"""One trial after the other, in the caller's thread."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status, Trial


class Serial:
    """Evaluates a trial in each `collect`. Up to `size` wait inside; there is room for more once
    all of them have been evaluated, so that an algorithm may work in generations.

    A running objective is only interrupted by Ctrl-C, so timeouts take effect between trials.
    """

    def __init__(self, task: Task, size: int = 1) -> None:
        self._size = size
        self._task = task
        self._waiting: deque[Trial] = deque()
        self._ended: list[Outcome] = []

    @property
    def slots(self) -> int:
        """How many trials may be inside now."""
        return len(self._waiting) or self._size

    @property
    def running(self) -> int:
        """1 while there is a trial, as the first is evaluated as soon as the caller collects."""
        return min(len(self._waiting), 1)

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """Do nothing: there are no calls to size."""

    def submit(self, trial: Trial) -> None:
        """Queue a trial."""
        self._waiting.append(trial)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Evaluate the next trial, however long it takes."""
        ended, self._ended = self._ended, []
        if not ended and self._waiting:
            trial = self._waiting.popleft()
            ended = [Outcome.of(trial.id, self._task.evaluate(trial))]
        return ended

    def cancel(self, ids: Iterable[int]) -> None:
        """End trials that wait."""
        wanted = set(ids)
        self._ended += [Outcome(t.id, Status.CANCELLED) for t in self._waiting if t.id in wanted]
        self._waiting = deque(trial for trial in self._waiting if trial.id not in wanted)

    def close(self) -> None:
        """End all trials that wait."""
        self.cancel([trial.id for trial in self._waiting])
