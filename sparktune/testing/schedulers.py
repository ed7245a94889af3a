"""What every scheduler must do: `for check in SCHEDULER_CHECKS: check(scheduler)`.

A check raises AssertionError with what went wrong.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator

import numpy as np

from sparktune.history import View
from sparktune.samplers import random
from sparktune.schedulers import Scheduler
from sparktune.study import Study
from sparktune.testing.simulated import Clock
from sparktune.testing.situations import mixed_history, spaces
from sparktune.trial import Status


def check_no_more_work_than_is_free(scheduler: Scheduler) -> None:
    """At most `free` items; none where nothing is free."""
    for name, history in _situations():
        for free in (0, 1, 7):
            work = scheduler.schedule(history, free)
            assert len(work) <= free, f"{name}: got {len(work)} items for {free} free slots"


def check_budgets_are_shares_of_a_full_evaluation(scheduler: Scheduler) -> None:
    """0 < budget <= 1, and a sampler may know no more rows than there are."""
    for name, history in _situations():
        for new in scheduler.schedule(history, 7):
            assert 0 < new.budget <= history.full, f"{name}: the budget is {new.budget}"
            known = len(history) if new.knows is None else new.knows
            assert 0 <= known <= len(history), f"{name}: the sampler may know {known} rows"


def check_work_depends_on_the_arguments_only(scheduler: Scheduler) -> None:
    """Equal arguments give equal work, whatever was asked for in between, and after a pickle; the
    history is left alone.
    """
    copy: Scheduler = pickle.loads(pickle.dumps(scheduler))
    for name, history in _situations():
        before = history.loss.copy(), history.status.copy()
        first = scheduler.schedule(history, 3)
        assert copy.schedule(history, 3) == first, f"{name}: the unpickled scheduler differs"
        scheduler.schedule(mixed_history(spaces()["one number"], 9, 99), 5)
        assert scheduler.schedule(history, 3) == first, f"{name}: two calls differ"
        np.testing.assert_array_equal(history.loss, before[0], f"{name}: losses changed")
        np.testing.assert_array_equal(history.status, before[1], f"{name}: statuses changed")


def check_a_resumed_study_goes_on_the_same(scheduler: Scheduler) -> None:
    """A study that is pickled in its middle gives the trials that the uninterrupted one gives."""
    study = Study(spaces()["one number"], random.suggest, scheduler, 5, clock=Clock())
    for step in range(20):
        copy: Study = pickle.loads(pickle.dumps(study))
        asked = study.ask(2)
        assert copy.ask(2) == asked, f"the resumed study differs after {step} steps"
        for trial in asked:
            study.tell(trial, float(trial.values["x"]))


SCHEDULER_CHECKS: tuple[Callable[[Scheduler], None], ...] = (
    check_no_more_work_than_is_free,
    check_budgets_are_shares_of_a_full_evaluation,
    check_work_depends_on_the_arguments_only,
    check_a_resumed_study_goes_on_the_same,
)


def _situations() -> Iterator[tuple[str, View]]:
    space = spaces()["conditional"]
    waiting, running, failed = Status.NEW, Status.RUNNING, Status.ERROR
    yield "no trial", mixed_history(space, 0)
    yield "one trial", mixed_history(space, 1)
    yield "many trials", mixed_history(space, 60, 1, *(waiting, running, failed) * 4)
    yield "nothing but running", mixed_history(space, 0, 1, *[running] * 8)
