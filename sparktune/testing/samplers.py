"""Conformance checks of samplers: `for check in SAMPLER_CHECKS: check(sampler)`.

A check raises AssertionError if it fails.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from sparktune.history import View
from sparktune.samplers import Sampler, learns
from sparktune.schedulers import FullBudget
from sparktune.space.distributions import Array, Categorical, Distribution
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.testing.simulated import Clock
from sparktune.testing.situations import history_of, mixed_history, spaces
from sparktune.trial import Outcome, Status, Trial


def check_rows_are_points_of_the_space(sampler: Sampler) -> None:
    """`suggest` returns n rows of float64 for n = 0, 1, 17 and any history; fewer rows only for a
    finite space. Every active value is in the support of its prior. A value is NaN exactly if the
    choices in its row make the parameter inactive.
    """
    for name, space, history in _situations():
        finite = all(math.isfinite(column.distribution.size) for column in space.columns)
        for n in (0, 1, 17):
            X = sampler.suggest(space, history, n, np.random.default_rng(n))
            assert isinstance(X, np.ndarray), f"{name}: got a {type(X).__name__}, wanted an array"
            assert X.dtype == np.float64, f"{name}: got dtype {X.dtype}, wanted float64"
            rows = min(len(X), n) if finite else n
            wanted = (rows, len(space))
            assert X.shape == wanted, f"{name}: got shape {X.shape}, wanted {wanted}"
            wrong = np.argwhere(np.isnan(X) == space.active(X)).tolist()
            assert not wrong, f"{name}: NaN at the wrong places (row, column): {wrong}"
            for column, values in zip(space.columns, X.T, strict=True):
                x = values[~np.isnan(values)]
                inside = _possible(column.distribution, x).all()
                assert inside, f"{name}: {column.label!r} cannot be {x}"


def check_suggestions_depend_on_the_arguments_only(sampler: Sampler) -> None:
    """Equal arguments give equal rows, regardless of other calls in between, and after pickling.
    `suggest` changes no column of the history.
    """
    unpickled: Sampler = pickle.loads(pickle.dumps(sampler))
    for name, space, history in _situations():
        copy: View = pickle.loads(pickle.dumps(history))
        first = sampler.suggest(space, history, 3, np.random.default_rng(3))
        for each in (known for known in fields(View) if known.compare):
            expected, found = getattr(copy, each.name), getattr(history, each.name)
            np.testing.assert_array_equal(found, expected, f"{name}: {each.name} changed")
        other = mixed_history(space, len(history), 99)
        sampler.suggest(space, other, 3, np.random.default_rng(4))
        again = sampler.suggest(space, copy, 3, np.random.default_rng(3))
        np.testing.assert_array_equal(again, first, f"{name}: two calls differ")
        same = unpickled.suggest(space, copy, 3, np.random.default_rng(3))
        np.testing.assert_array_equal(same, first, f"{name}: the unpickled sampler differs")


def check_losses_of_failed_trials_are_ignored(sampler: Sampler) -> None:
    """Only losses of trials with status OK are used."""
    ended = [status for status in Status if not status.pending and status is not Status.OK]
    for name, space in spaces().items():
        history = mixed_history(space, 40, 5, *ended * 3)
        tempting = replace(history, loss=np.where(history.ok, history.loss, -1e9))
        first, second = (
            sampler.suggest(space, each, 3, np.random.default_rng(5))
            for each in (history, tempting)
        )
        np.testing.assert_array_equal(first, second, f"{name}: the loss of a failed trial counted")


def check_one_that_does_not_learn_ignores_results(sampler: Sampler) -> None:
    """If `learns` is False, suggestions do not depend on the status and the losses of trials."""
    if learns(sampler):
        return
    for name, space in spaces().items():
        X = space.sample(np.random.default_rng(10), 40)
        losses = np.random.default_rng(11).normal(size=40)
        histories = [
            history_of(space, X, [*losses]),
            history_of(space, X, [*-losses]),
            history_of(space, X, [None] * 40, [Status.ERROR] * 40),
            history_of(space, X, [None] * 40, [Status.RUNNING] * 40),
        ]
        first, *others = (
            sampler.suggest(space, history, 3, np.random.default_rng(12)) for history in histories
        )
        for rows in others:
            np.testing.assert_array_equal(first, rows, f"{name}: depends on results")


def check_infinite_losses_are_survived(sampler: Sampler) -> None:
    """Infinite losses are handled, even if no loss is finite."""
    for name, space in spaces().items():
        X = space.sample(np.random.default_rng(6), 40)
        for finite in (0, 1, 30):
            losses = [float(i) if i < finite else math.inf for i in range(40)]
            row = sampler.suggest(space, history_of(space, X, losses), 1, np.random.default_rng(6))
            inside = np.isnan(row) != space.active(row)
            assert inside.all(), f"{name}: not a point of the space: {row}"


def check_a_single_point_is_suggested_again(sampler: Sampler) -> None:
    """In a space with a single point, that point is suggested; or nothing after it was tried."""
    space = spaces()["one point"]
    for tried in (0, 30):
        X = sampler.suggest(space, mixed_history(space, tried), 5, np.random.default_rng(8))
        assert (X == 0).all(), f"got {X}, wanted index 0 of both parameters"
        assert tried or len(X), "the only point was never suggested"


def check_resumed_studies_go_on_the_same(sampler: Sampler) -> None:
    """A study that continues from the records of its first trials, with the last one unfinished,
    suggests the same points as an uninterrupted study.
    """
    for name, space in spaces().items():
        whole = _run_study(space, sampler, {}, 24)
        for cut, end in ((1, 10), (10, 21), (21, 24)):  # up to where the next one continues
            kept = {id: trial for id, trial in whole.items() if id < cut}
            if cut - 1 in kept:
                kept[cut - 1] = Trial(cut - 1, kept[cut - 1].values, Status.RUNNING)
            wanted = {id: trial for id, trial in whole.items() if id < end}
            found = _run_study(space, sampler, kept, end)
            assert found == wanted, f"{name}: differs from trial {cut} on"


SAMPLER_CHECKS: tuple[Callable[[Sampler], None], ...] = (
    check_rows_are_points_of_the_space,
    check_suggestions_depend_on_the_arguments_only,
    check_losses_of_failed_trials_are_ignored,
    check_one_that_does_not_learn_ignores_results,
    check_infinite_losses_are_survived,
    check_a_single_point_is_suggested_again,
    check_resumed_studies_go_on_the_same,
)


def _situations() -> Iterator[tuple[str, Space, View]]:
    """(name, space, history) for every space with no, one and many trials, with and without pending
    and failed ones.
    """
    waiting, running, failed = Status.NEW, Status.RUNNING, Status.ERROR
    for name, space in spaces().items():
        yield f"{name}, no trial", space, mixed_history(space, 0)
        yield f"{name}, one trial", space, mixed_history(space, 1)
        yield f"{name}, many trials", space, mixed_history(space, 70)
        others = (waiting, running, failed) * 8
        yield f"{name}, nothing but pending and failed", space, mixed_history(space, 0, 1, *others)
        yield f"{name}, some pending and failed", space, mixed_history(space, 40, 2, *others)


def _possible(prior: Distribution, x: Array) -> NDArray[np.bool_]:
    """Mask of the values that are in the support of a prior."""
    if isinstance(prior, Categorical):
        return np.isin(x, np.flatnonzero(prior.p))
    low, high = prior.support
    on_grid = np.round(x / prior.q) * prior.q == x if prior.q else np.isfinite(x)
    return (low <= x) & (x <= high) & on_grid


def _run_study(
    space: Space, sampler: Sampler, records: dict[int, Trial], end: int
) -> dict[int, Trial]:
    """The records of a study that continues up to `end` trials, one at a time."""
    study = Study(space, sampler, FullBudget(end), 11, records, clock=Clock())
    while asked := study.ask(1):
        [trial] = asked
        study.tell(trial, Outcome(trial.id, Status.OK, float(sum(trial.values.values()))))
    return records
