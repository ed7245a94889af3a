"""What a scheduler is, and what it hands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sparktune.errors import InvalidArgument
from sparktune.history import View


@dataclass(frozen=True, slots=True)
class New:
    """Evaluate a new point.

    Attributes:
        budget: what the evaluation may spend, in the scheduler's units.
        knows: how many rows of the history the sampler sees the results of, from the first on;
            later rows count as pending. None: all.
        explore: draw the point from the priors of the space, and do not ask the sampler.
    """

    budget: float = 1.0
    knows: int | None = None
    explore: bool = False


@dataclass(frozen=True, slots=True)
class Promote:
    """Evaluate a configuration again, with a larger budget.

    Attributes:
        row: the history's row of its evaluation with the largest budget so far.
        budget: what it may spend in all, in the scheduler's units.
        knows: as for `New`.
    """

    row: int
    budget: float
    knows: int | None = None


class Scheduler(Protocol):
    """What to evaluate next, and with which budget. A pure function of its arguments."""

    def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
        """At most `free` work items; none while there is nothing to do now. The study drops new
        points that it may not take any more, and then sets `history.exhausted`.
        """

    def scores(self, history: View) -> View:
        """What samplers see instead of the history: a row for each configuration, in the order of
        their first evaluations, with a loss by which all can be compared. A scheduler without
        this method shows the history itself.
        """


def checked(scheduler: Any) -> Scheduler:
    """The scheduler that a user gave.

    Raises:
        InvalidArgument: it is not a scheduler.
    """
    if isinstance(scheduler, type) or not callable(getattr(scheduler, "schedule", None)):
        raise InvalidArgument(
            "scheduler must be a scheduler, such as ASHA(min_budget=1, max_budget=81), or None, "
            f"got {scheduler!r}"
        )
    known: Scheduler = scheduler
    return known


def scores(scheduler: Scheduler, history: View) -> View:
    """What samplers see of a history."""
    seen: View = scheduler.scores(history) if hasattr(scheduler, "scores") else history
    return seen


def ladder(scheduler: Any) -> tuple[float, ...]:
    """The budgets that a scheduler gives, smallest first; none for full evaluations alone."""
    return tuple(getattr(scheduler, "rungs", ()))


def full_budget(scheduler: Any) -> float:
    """The budget of a full evaluation."""
    return float(getattr(scheduler, "max_budget", 1.0))
