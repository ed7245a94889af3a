"""Conformance checks of schedulers: `for check in SCHEDULER_CHECKS: check(scheduler)`.

A check raises AssertionError if it fails.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace

import numpy as np

from sparktune.events import Begun, Limit
from sparktune.history import View
from sparktune.samplers import random
from sparktune.schedulers import New, Promote, Scheduler, full_budget, ladder, scores
from sparktune.study import Study
from sparktune.testing.simulated import Clock
from sparktune.testing.situations import mixed_history, spaces
from sparktune.trial import Status


def check_work_fits_the_history(scheduler: Scheduler) -> None:
    """`schedule` returns at most `free` items. Budgets are > 0, at most the full budget, and among
    the scheduler's rungs if it has any. `knows` is at most the number of rows. A promoted row has a
    usable loss, gets a larger budget than before, and is not promoted twice.
    """
    rungs = ladder(scheduler)
    for name, history in _situations(scheduler):
        for free in (0, 1, 7):
            work = scheduler.schedule(history, free)
            assert len(work) <= free, f"{name}: got {len(work)} items for {free} free slots"
        for item in work:
            assert 0 < item.budget <= history.full, f"{name}: the budget is {item.budget}"
            assert not rungs or item.budget in rungs, f"{name}: {item.budget} is not in {rungs}"
            known = len(history) if item.knows is None else item.knows
            assert 0 <= known <= len(history), f"{name}: the sampler may know {known} rows"
        _check_promotions(name, history, work)


def _check_promotions(name: str, history: View, work: Sequence[New | Promote]) -> None:
    live = history.ok | history.pending
    promoted = {int(row) for row in history.parent[live & (history.parent >= 0)]}
    for item in work:
        if isinstance(item, Promote):
            what = f"{name}: row {item.row}"
            assert history.ok[item.row], f"{what} has no loss, and is promoted"
            assert item.budget > history.budget[item.row], f"{what} gets no larger budget"
            assert item.row not in promoted, f"{what} is promoted twice"
            promoted.add(item.row)


def check_scores_have_a_row_for_each_configuration(scheduler: Scheduler) -> None:
    """`scores` returns at most one row for each configuration, at its point, and all rows with the
    same budget. Usable losses are finite, and pending rows have no loss.
    """
    for name, history in _situations(scheduler):
        shown = scores(scheduler, history)
        columns = [
            each for each in fields(shown) if isinstance(getattr(shown, each.name), np.ndarray)
        ]
        lengths = {each.name: len(getattr(shown, each.name)) for each in columns}
        assert set(lengths.values()) == {len(shown)}, f"{name}: columns differ: {lengths}"
        begun = history.X[history.parent < 0].tolist()
        rows = shown.X.tolist()
        assert all(row in begun for row in rows), f"{name}: a point is not one of a configuration"
        assert len(set(map(tuple, rows))) == len(rows), f"{name}: a configuration has two rows"
        assert (shown.budget == shown.budget[:1]).all(), f"{name}: there are several budgets"
        assert np.isfinite(shown.loss[shown.ok]).all(), f"{name}: a usable loss is not finite"
        assert np.isnan(shown.loss[shown.pending]).all(), f"{name}: a pending row has a loss"


def check_work_depends_on_the_arguments_only(scheduler: Scheduler) -> None:
    """Equal arguments give equal work, regardless of other calls in between, and also after
    pickling. The history does not change.
    """
    copy: Scheduler = pickle.loads(pickle.dumps(scheduler))
    other = [history for _, history in _situations(scheduler)][2]
    for name, history in _situations(scheduler):
        before = history.loss.copy(), history.status.copy()
        first = scheduler.schedule(history, 3)
        assert copy.schedule(history, 3) == first, f"{name}: the unpickled scheduler differs"
        scheduler.schedule(other, 5)
        scores(scheduler, history)
        assert scheduler.schedule(history, 3) == first, f"{name}: two calls differ"
        np.testing.assert_array_equal(history.loss, before[0], f"{name}: losses changed")
        np.testing.assert_array_equal(history.status, before[1], f"{name}: statuses changed")


def check_a_resumed_study_goes_on_the_same(scheduler: Scheduler) -> None:
    """A study that is pickled at any step asks for the same trials as the original."""
    study = Study(spaces()["one number"], random.suggest, scheduler, 5, clock=Clock())
    for step in range(20):
        copy: Study = pickle.loads(pickle.dumps(study))
        asked = study.ask(2)
        assert copy.ask(2) == asked, f"the resumed study differs after {step} steps"
        for trial in asked:
            study.tell(trial, float(trial.values["x"]))


def check_a_run_ends(scheduler: Scheduler) -> None:
    """A run ends some time after its last new point, with at least one full evaluation."""
    study = _begin_study(scheduler, 40)
    for _ in range(400):
        trials = study.ask(4)
        if not trials:
            break
        for trial in trials:
            study.tell(trial, float(trial.values["x"]))
    assert not study.ask(1), "the run does not end"
    full = full_budget(scheduler)
    assert any(trial.budget == full for trial in study.trials.values()), "none is a full evaluation"


SCHEDULER_CHECKS: tuple[Callable[[Scheduler], None], ...] = (
    check_work_fits_the_history,
    check_scores_have_a_row_for_each_configuration,
    check_work_depends_on_the_arguments_only,
    check_a_resumed_study_goes_on_the_same,
    check_a_run_ends,
)


def _situations(scheduler: Scheduler) -> Iterator[tuple[str, View]]:
    space = spaces()["every prior"]
    waiting, running, failed = Status.NEW, Status.RUNNING, Status.ERROR
    yield "no trial", _at_first(scheduler, mixed_history(space, 0))
    yield "one trial", _at_first(scheduler, mixed_history(space, 1))
    many = mixed_history(space, 60, 1, *(waiting, running, failed) * 4)
    yield "many trials", _at_first(scheduler, many)
    yield "nothing but running", _at_first(scheduler, mixed_history(space, 0, 1, *[running] * 8))
    rng = np.random.default_rng(3)
    study = _begin_study(scheduler, 80)
    for step in range(60):
        study.ask(int(rng.integers(1, 6)))
        for id in rng.permutation(sorted(study.running))[: rng.integers(0, 6)]:
            study.tell(int(id), float(rng.normal()) if rng.random() < 0.9 else {"status": "fail"})
        if step % 6 == 0:
            yield f"a run after {step} steps", study.history


def _begin_study(scheduler: Scheduler, trials: int) -> Study:
    """A study that has begun a run of at most `trials` configurations."""
    study = Study(spaces()["one number"], random.suggest, scheduler, 7, clock=Clock())
    study.begin([Begun(study.about(""), Limit(trials, trials))])
    return study


def _at_first(scheduler: Scheduler, history: View) -> View:
    """The history with the scheduler's smallest budget for all trials."""
    full = full_budget(scheduler)
    least = np.full(len(history), min(ladder(scheduler), default=full))
    return replace(history, budget=least, spent=least, full=full)
