"""Driver threads: the objective runs in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sparktune.executors.task import Task
from sparktune.trial import Trial


class Threads:
    """Calls the objective in the thread that asks. A running objective cannot be ended, only given
    up.
    """

    queues = False

    def __init__(self, task: Task, slots: int) -> None:
        self.slots = self.room = slots
        self._task = task
        self._running: set[str] = set()

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """Return the target unchanged."""
        return target

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        """Evaluate trials in this thread."""
        end = time.monotonic() + within
        reports: list[dict[str, Any] | None] = []
        self._running.add(tag)
        try:
            for trial in trials:
                over = reports and time.monotonic() >= end
                reports.append(None if over else self.evaluate(trial, tag))
            return reports
        finally:
            self._running.discard(tag)

    def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
        """The report of a trial."""
        return self._task.evaluate(trial)

    def running(self) -> set[str]:
        """The tags of all calls: a thread begins at once."""
        return set(self._running)

    def lost(self) -> None:
        """Return None: the driver cannot be lost."""

    def cancel(self, tag: str) -> bool:
        """Return False: a thread cannot be ended."""
        return False

    def close(self) -> None:
        """Do nothing."""
