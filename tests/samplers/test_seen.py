"""Which points of a space are new, and which are left."""

from __future__ import annotations

import numpy as np

from sparktune.samplers._seen import Seen, points_of
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.testing import spaces

TREE = Space(
    hp.choice(
        "model",
        [
            {"n": hp.randint("n", 3)},
            {"deeper": hp.choice("deeper", [hp.quniform("q", 0, 2, 1), 0])},
        ],
    )
)
LINE = Space([hp.uniform("x", 0, 1), hp.choice("c", "ab")])


def test_all_points_of_a_conditional_space_are_found() -> None:
    found = points_of(TREE)
    assert found is not None
    assert len(found) == len({row.tobytes() for row in found}) == 3 + 3 + 1
    drawn = TREE.sample(np.random.default_rng(0), 1000)
    # A point has a probability of at least 1/16, so that one is missing with less than 1e-27.
    assert {row.tobytes() for row in drawn} == {row.tobytes() for row in found}


def test_points_are_those_that_the_prior_can_give() -> None:
    values = {
        "randint": (hp.randint("x", -2, 2), [-2, -1, 0, 1]),
        "quniform": (hp.quniform("x", 1, 10, 4), [0, 4, 8]),
        "qloguniform": (hp.qloguniform("x", -2, 1, 0.5), [0, 0.5, 1, 1.5, 2, 2.5]),
        "pchoice": (hp.pchoice("x", [(0.5, "a"), (0.0, "b"), (0.5, "c")]), [0, 2]),
    }
    for name, (node, expected) in values.items():
        found = points_of(Space(node))
        assert found is not None
        assert found[:, 0].tolist() == expected, name


def test_a_space_without_end_has_no_list_of_points() -> None:
    for name in ("one number", "conditional", "every prior"):
        assert points_of(spaces()[name]) is None
    assert points_of(Space(hp.qnormal("x", 0, 1, 1))) is None


def test_too_many_points_are_not_listed() -> None:
    assert points_of(Space(hp.randint("x", 100_001))) is None
    assert points_of(Space([hp.randint(f"x{i}", 20) for i in range(5)])) is None


def test_the_first_new_row_is_chosen_and_counts_as_seen() -> None:
    points = points_of(TREE)
    assert points is not None
    seen = Seen(TREE, points[[0, 2]])
    chosen = [seen.first_new(points[[0, 3, 2, 1]]) for _ in range(3)]
    np.testing.assert_array_equal(chosen[0], points[3])
    np.testing.assert_array_equal(chosen[1], points[1])
    assert chosen[2] is None


def test_rows_differ_if_any_parameter_does() -> None:
    seen = Seen(LINE, np.array([[0.5, 0.0], [0.5, 1.0], [0.25, 0.0]]))
    new = seen.first_new(np.array([[0.5, 1.0], [0.25, 0.0], [0.25, 1.0]]))
    assert new is not None
    assert new.tolist() == [0.25, 1.0]


def test_what_is_left_is_random_and_new() -> None:
    points = points_of(TREE)
    assert points is not None
    seen = Seen(TREE, points[:4])
    left = seen.others(100, np.random.default_rng(0))
    assert {row.tobytes() for row in left} == {row.tobytes() for row in points[4:]}
    assert len(seen.others(2, np.random.default_rng(0))) == 2
    assert Seen(TREE, points).others(5, np.random.default_rng(0)).shape == (0, 4)


def test_of_a_space_without_end_what_is_left_is_drawn() -> None:
    left = Seen(LINE, np.empty((0, 2))).others(7, np.random.default_rng(0))
    np.testing.assert_array_equal(left, LINE.sample(np.random.default_rng(0), 7))
