"""Work items and points become trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune import hp
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.proposals import feasible, new_points, proposed
from sparktune.schedulers import New, Promote
from sparktune.space.space import Space
from sparktune.testing import history_of
from sparktune.trial import Trial

SPACE = Space(hp.uniform("x", 0, 1))
TWO = Space({"x": hp.uniform("x", 0, 1), "y": hp.uniform("y", 0, 1)})


def no_trial(row: int) -> Trial:
    raise AssertionError(f"row {row} was asked for")


@pytest.mark.parametrize(
    ("room", "left"),
    [
        (None, [New(), Promote(0, 3.0), New(), New()]),
        (3, [New(), Promote(0, 3.0), New(), New()]),
        (1, [New(), Promote(0, 3.0)]),
        (0, [Promote(0, 3.0)]),
    ],
)
def test_new_points_stop_where_the_run_has_no_more_room_and_promotions_go_on(
    room: int | None, left: list[New | Promote]
) -> None:
    assert feasible([New(), Promote(0, 3.0), New(), New()], room) == left


def test_what_is_done_at_once_knows_the_same_results() -> None:
    work = [New(knows=2), New(knows=2), New(knows=3), New(knows=2)]
    assert feasible(work, None) == work[:2]
    assert feasible([], 3) == []


def test_a_new_point_is_the_samplers_and_work_without_a_point_is_left_out() -> None:
    points = np.array([[0.25], [0.5]])
    trials = proposed(SPACE, 1, 7, [New(), New(budget=3.0), New()], points, no_trial)
    assert [(trial.id, dict(trial.values)) for trial in trials] == [
        (7, {"x": 0.25}),
        (8, {"x": 0.5}),
    ]
    assert [trial.budget for trial in trials] == [1.0, 3.0]


def test_an_explored_point_depends_on_seed_and_id_alone() -> None:
    work = [New(explore=True), New()]
    explored, suggested = proposed(SPACE, 1, 7, work, np.array([[0.25]]), no_trial)
    assert (explored.explore, suggested.explore) == (True, False)
    assert dict(suggested.values) == {"x": 0.25}
    (same,) = proposed(SPACE, 1, 7, work[:1], np.empty((0, 1)), no_trial)
    (other,) = proposed(SPACE, 1, 8, work[:1], np.empty((0, 1)), no_trial)
    assert same == explored
    assert other.values != explored.values


def test_a_promotion_has_the_values_of_its_parent_and_a_larger_budget() -> None:
    parent = Trial(3, {"x": 0.75}, budget=1.0)
    (trial,) = proposed(SPACE, 1, 9, [Promote(5, 3.0)], [], {5: parent}.__getitem__)
    assert (trial.id, trial.parent, trial.budget, trial.values) == (9, 3, 3.0, {"x": 0.75})


@pytest.mark.parametrize("returned", [None, [0.5, 0.5], [[0.5, 0.5, 0.5]] * 2, ["a"]])
def test_what_a_sampler_returns_must_be_rows_of_the_space(returned: Any) -> None:
    class Own:
        def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Any:
            return returned

    history, rng = history_of(TWO, np.empty((0, 2)), []), np.random.default_rng(1)
    with pytest.raises(InvalidArgument, match=r"Own.*: suggest must return up to 2 rows of 2"):
        new_points([New(), New()], Own(), TWO, history, history, rng)
