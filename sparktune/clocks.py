"""The time of a run and its trials, even if the system's clock is set meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sparktune.trial import Trial


class RunClock:
    """Seconds since the epoch, as if nobody had set the clock since the run began.

    Args:
        clock: returns seconds since the epoch. The time that passes is measured by a monotonic
            clock, or by `clock.timer` where there is one, as in simulated time.

    Attributes:
        begun: when the run began.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._timer: Callable[[], float] = getattr(clock, "timer", time.monotonic)
        self.begin()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.begin()  # timers of two processes have nothing in common

    def begin(self) -> None:
        """A run begins now."""
        self.begun, self._timer_begun = self.clock(), self._timer()
        self._handed_out: dict[Any, float] = {}

    def now(self) -> float:
        """Now."""
        return self.begun + self._timer() - self._timer_begun

    def hand_out(self, id: Any) -> None:
        """Note that a trial is handed out now."""
        self._handed_out[id] = self.now()

    def finished(self, trial: Trial) -> float | None:
        """When a trial ended, in the time of this run. The recorded time is replaced by now where
        it cannot be right, because a clock was set or differs from ours.
        """
        since, now = self._handed_out.pop(trial.id, float("-inf")), self.now()
        recorded = trial.finished
        return recorded if recorded is not None and since <= recorded <= now else now
