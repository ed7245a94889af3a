"""A wrapper of a scheduler that makes the trials independent of the timing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sparktune.history import View
from sparktune.schedulers.work import (
    New,
    Promote,
    Scheduler,
    finalists,
    full_budget,
    ladder,
    scores,
)


@dataclass(frozen=True, slots=True)
class InOrder:
    """Hands out the work of `scheduler` one item at a time. The trial of row k is chosen from the
    results of exactly the rows up to k - lag, once these have ended; later rows count as pending.
    If these rows give no work, because another rung has to end first, one row more is considered at
    a time. With `lag` trials running at once, the trials depend on the seed and the objective
    alone. A slow trial delays others.
    """

    scheduler: Scheduler
    lag: int

    @property
    def max_budget(self) -> float:
        """The budget of a full evaluation."""
        return full_budget(self.scheduler)

    @property
    def rungs(self) -> tuple[float, ...]:
        """The budgets of the scheduler, smallest first."""
        return ladder(self.scheduler)

    @property
    def finalists(self) -> int:
        """How many configurations get the full budget at least."""
        return finalists(self.scheduler)

    def schedule(self, history: View, free: int) -> list[New | Promote]:
        """One work item, or none while an earlier trial has to end first."""
        for knows in range(max(len(history) + 1 - self.lag, 0), len(history) + 1):
            if history.pending[:knows].any():
                return []
            work = self.scheduler.schedule(history.until(knows), min(free, 1))
            if work or free < 1:
                return [replace(item, knows=knows) for item in work]
        return []

    def scores(self, history: View) -> View:
        """The history as the wrapped scheduler shows it to samplers."""
        return scores(self.scheduler, history)
