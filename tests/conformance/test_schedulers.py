"""Every scheduler passes the checks, and the checks fail what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from sparktune.history import View
from sparktune.schedulers import (
    ASHA,
    Folds,
    FullBudget,
    Hyperband,
    InOrder,
    New,
    Promote,
    Scheduler,
)
from sparktune.testing import SCHEDULER_CHECKS, schedulers

SCHEDULERS: dict[str, Scheduler] = {
    "full": FullBudget(),
    "full, with an end": FullBudget(30),
    "in order": InOrder(FullBudget(), 3),
    "in order, one at a time": InOrder(FullBudget(30), 1),
    "asha": ASHA(1, 27),
    "asha, two rungs": ASHA(0.5, 1, eta=2, audit=0),
    "asha, brackets": ASHA(1, 9, brackets=3, finalists=2),
    "folds": Folds(4),
    "asha, growing": ASHA(1, 27, grow=True),
    "hyperband": Hyperband(1, 27),
    "asha, in order": InOrder(ASHA(1, 9), 3),
}


@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=SCHEDULERS.keys())
@pytest.mark.parametrize("check", SCHEDULER_CHECKS, ids=lambda check: check.__name__)
def test_the_scheduler_passes(check: Callable[[Scheduler], None], scheduler: Scheduler) -> None:
    check(scheduler)


class TooMany:
    def schedule(self, history: View, free: int) -> list[New]:
        return [New()] * (free + 1)


class TooLarge:
    def schedule(self, history: View, free: int) -> list[New]:
        return [New(2.0)] * free


class Twice:
    """Promotes what has been promoted."""

    rungs = (1.0, 2.0)
    max_budget = 2.0

    def schedule(self, history: View, free: int) -> list[New | Promote]:
        rows = np.flatnonzero(history.ok & (history.budget == 1))
        again: list[New | Promote] = [Promote(int(row), 2.0) for row in rows]
        return [*again, *[New()] * free][:free]


class Endless(FullBudget):
    """Goes on with points that the run does not take."""

    def schedule(self, history: View, free: int) -> list[New]:
        return [New(0.5)] * free


@dataclass
class Counting:
    calls: list[int] = field(default_factory=list)

    def schedule(self, history: View, free: int) -> list[New]:
        self.calls.append(free)
        return [New(1 / len(self.calls))] * free


@pytest.mark.parametrize(
    ("scheduler", "check", "said"),
    [
        (TooMany(), schedulers.check_work_fits_the_history, "items for"),
        (TooLarge(), schedulers.check_work_fits_the_history, "the budget is 2"),
        (Twice(), schedulers.check_work_fits_the_history, "is promoted twice"),
        (Twice(), schedulers.check_scores_have_a_row_for_each_configuration, "has two rows"),
        (Twice(), schedulers.check_a_run_ends, "does not end"),
        (Endless(), schedulers.check_a_run_ends, "none is a full evaluation"),
        (Counting(), schedulers.check_work_depends_on_the_arguments_only, "differ"),
    ],
)
def test_what_is_wrong_fails(
    scheduler: Scheduler, check: Callable[[Scheduler], None], said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        check(scheduler)
