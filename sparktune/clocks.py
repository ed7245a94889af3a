"""The time of a run and its trials, which stays correct if the system's clock is set."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sparktune.trial import Trial


class RunClock:
    """A clock that returns seconds since the epoch, and ignores changes of the system's clock.

    Args:
        clock: returns seconds since the epoch. Elapsed time is measured by a monotonic clock, or by
            `clock.timer` if it exists, as in simulated time.

    Attributes:
        begun: the time at which the run began, in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._timer: Callable[[], float] = getattr(clock, "timer", time.monotonic)
        self.begin()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.begin()  # timers of two processes are not comparable

    def begin(self) -> None:
        """Begin a run at the current time."""
        self.begun, self._timer_begun = self.clock(), self._timer()
        self._handed_out: dict[Any, float] = {}

    def now(self) -> float:
        """The current time, in seconds since the epoch."""
        return self.begun + self._timer() - self._timer_begun

    def hand_out(self, id: Any) -> None:
        """Note the current time as the time at which a trial is handed out."""
        self._handed_out[id] = self.now()

    def finished(self, trial: Trial) -> float | None:
        """The time at which a trial ended, by this clock. If the recorded time is not between the
        hand-out and now, because clocks differ or were set, the current time is returned.
        """
        since, now = self._handed_out.pop(trial.id, float("-inf")), self.now()
        recorded = trial.finished
        return recorded if recorded is not None and since <= recorded <= now else now
