"""The scheduler of full evaluations."""

from __future__ import annotations

from dataclasses import dataclass

from sparktune.history import View
from sparktune.schedulers.work import New


@dataclass(frozen=True, slots=True)
class FullBudget:
    """Every trial is a full evaluation. `max_trials` is their number; None: no limit."""

    max_trials: int | None = None

    def schedule(self, history: View, free: int) -> list[New]:
        """At most `free` work items; none once `max_trials` have been handed out."""
        left = free if self.max_trials is None else min(free, self.max_trials - len(history))
        return [New()] * max(left, 0)

    def scores(self, history: View) -> View:
        """The history itself."""
        return history
