"""Around another scheduler: trials that do not depend on the timing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparktune.history import View
from sparktune.schedulers.work import New, Scheduler


@dataclass(frozen=True, slots=True)
class InOrder:
    """Hands out the work of `scheduler` one item at a time: the trial of row k is suggested from
    the results of exactly the rows up to k - lag, and not before these have ended. Later rows count
    as pending.

    With `lag` trials running at once, the trials depend on the seed and the objective alone. A slow
    trial holds others up.
    """

    scheduler: Scheduler
    lag: int

    def schedule(self, history: View, free: int) -> list[New]:
        """One work item, or none while an earlier trial has to end first."""
        knows = max(len(history) + 1 - self.lag, 0)
        if history.pending[:knows].any():
            return []
        known = history.until(knows)
        return [replace(new, knows=knows) for new in self.scheduler.schedule(known, min(free, 1))]
