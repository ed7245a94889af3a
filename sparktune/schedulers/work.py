"""The protocol of schedulers, and the work items that they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
        unguided: do the same if the sampler learns from results. Such a configuration is promoted
            by its losses, like those of the sampler.
    """

    budget: float = 1.0
    knows: int | None = None
    explore: bool = False
    unguided: bool = False


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
    """The protocol of schedulers, which decide what to evaluate next, and with which budget. The
    methods are pure functions of their arguments and the scheduler's options.
    """

    def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
        """At most `free` work items; none while there is nothing to do now. The study drops new
        points that it may not take any more, and then sets `history.exhausted`.
        """

    def scores(self, history: View) -> View:
        """The view that samplers get: a row for each configuration, in the order of the first
        evaluations, with losses that can be compared. This method is optional; without it, samplers
        get the history itself.
        """


def checked(scheduler: Any) -> Scheduler:
    """Return `scheduler` if it is one.

    Raises:
        InvalidArgument: `scheduler` is not a scheduler.
    """
    if isinstance(scheduler, type) or not callable(getattr(scheduler, "schedule", None)):
        raise InvalidArgument(
            "scheduler must be an object such as ASHA(min_budget=1, max_budget=81), or None, "
            f"got {scheduler!r}"
        )
    known: Scheduler = scheduler
    return known


def scores(scheduler: Scheduler, history: View) -> View:
    """The view of a history that samplers get from a scheduler."""
    seen: View = scheduler.scores(history) if hasattr(scheduler, "scores") else history
    return seen if seen is history else replace(seen, repeatable=False)


def ladder(scheduler: Any) -> tuple[float, ...]:
    """The budgets of a scheduler, smallest first; empty if it only gives full evaluations."""
    return tuple(getattr(scheduler, "rungs", ()))


def finalists(scheduler: Any) -> int:
    """How many configurations get the full budget at least."""
    return int(getattr(scheduler, "finalists", 1))


def full_budget(scheduler: Any) -> float:
    """The budget of a full evaluation with a scheduler."""
    return float(getattr(scheduler, "max_budget", 1.0))
