"""Simulated time: a clock that only waiting moves, and an executor that lives by it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status, Trial


@dataclass
class Clock:
    """Seconds that pass only when something waits for them; call it for the time."""

    now: float = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


class Simulated:
    """An executor whose trials take simulated time, all in the caller's thread.

    Args:
        task: what is evaluated, when the trial's time is over.
        slots: how many trials run at once.
        seconds: how long a trial takes.
        clock: the time; give it to the study too.
    """

    def __init__(
        self, task: Task, slots: int, seconds: Callable[[Trial], float], clock: Clock
    ) -> None:
        self.slots = slots
        self._task = task
        self._seconds = seconds
        self._clock = clock
        self._running: list[tuple[float, int, float, Trial]] = []  # a heap: (end, id, start, trial)
        self._ended: list[Outcome] = []

    @property
    def running(self) -> int:
        """How many trials are inside."""
        return len(self._running)

    def submit(self, trial: Trial) -> None:
        """Start a trial.

        Raises:
            RuntimeError: all slots are taken.
        """
        if len(self._running) >= self.slots:
            raise RuntimeError(f"trial {trial.id} was submitted while all slots were taken")
        start = self._clock.now
        heapq.heappush(self._running, (start + self._seconds(trial), trial.id, start, trial))

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Let time pass until trials end, at most `timeout` seconds."""
        if not self._ended and self._running:
            patience = math.inf if timeout is None else self._clock.now + timeout
            self._clock.now = min(self._running[0][0], patience)
            while self._running and self._running[0][0] <= self._clock.now:
                self._ended.append(self._evaluate(*heapq.heappop(self._running)))
        ended, self._ended = self._ended, []
        return ended

    def cancel(self, ids: Iterable[int]) -> None:
        """End these trials now."""
        wanted = set(ids)
        now = self._clock.now
        for end, id, start, trial in sorted(self._running):
            if id in wanted:
                self._running.remove((end, id, start, trial))
                self._ended.append(Outcome(id, Status.CANCELLED, started=start, finished=now))
        heapq.heapify(self._running)

    def close(self) -> None:
        """End all trials now."""
        self.cancel([id for _, id, _, _ in self._running])

    def _evaluate(self, end: float, id: int, start: float, trial: Trial) -> Outcome:
        report = self._task.evaluate(trial) | {"started": start, "finished": end}
        return Outcome.of(id, report)
