"""The log messages of a run with several budgets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeAlias

from sparktune.events import Begun, Event, Stopped, Told
from sparktune.history import View
from sparktune.schedulers import Scheduler, ladder
from sparktune.trial import Status

logger = logging.getLogger("sparktune")


Observer: TypeAlias = Callable[[Event, View], None]


def of_budgets(scheduler: Scheduler, limit: int | None) -> list[Observer]:
    """Log the budgets of the scheduler, and the expected number of evaluations for `limit`
    configurations. Return observers that log when the guard acts, and when the best trial of the
    run has less than the full budget. Without several budgets, do nothing and return [].
    """
    rungs = ladder(scheduler)
    if not rungs:
        return []
    text = "budgets " + _listed(rungs)
    expected = getattr(scheduler, "expected", None)
    if limit and expected is not None and (counts := expected(limit)):
        each = zip(counts, rungs, (0.0, *rungs), strict=False)
        full = sum(count * (rung - before) for count, rung, before in each) / rungs[-1]
        text += (
            f": about {_listed(counts)} evaluations, which cost as much as {full:.3g} full ones if "
            "the objective continues from states"
        )
    logger.info("%s", text)
    return [Guard(scheduler), at_the_end]


class Guard:
    """An observer that logs when new configurations start at another budget, because losses at
    smaller ones predict too little.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._start = getattr(scheduler, "start", None)
        self._rungs = ladder(scheduler)
        self._known = min(self._rungs, default=0.0)

    def __call__(self, event: Event, history: View) -> None:
        """Check the history when the run begins, and after each full evaluation."""
        if self._start is None or not _may_change(event, history.full):
            return
        start = self._start(history)
        if start > self._known:
            logger.warning(
                "losses at budget %s do not predict those at %g: new configurations start at %g",
                _listed([rung for rung in self._rungs if rung < start]),
                history.full,
                start,
            )
        elif start < self._known:
            logger.info(
                "losses at budget %g predict those at %g again: new configurations start there",
                start,
                history.full,
            )
        self._known = start


def at_the_end(event: Event, history: View) -> None:
    """Log at the end of a run if the best trial has less than the full budget."""
    budgets = history.budget[history.comparable]
    if isinstance(event, Stopped) and len(budgets) and budgets[0] < history.full:
        logger.warning(
            "the best trial has the budget %g, because no promoted configuration has a loss at the "
            "full budget %g yet; to continue, repeat the call with a larger limit",
            budgets[0],
            history.full,
        )


def _may_change(event: Event, full: float) -> bool:
    if isinstance(event, Told):
        return event.trial.budget == full and event.trial.status is Status.OK
    return isinstance(event, Begun)


def _listed(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
