"""Spaces as columns: conditions, and the way between rows, values and configurations."""

from __future__ import annotations

import functools
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune.errors import BadSearchSpace, DuplicateLabel, InvalidArgument
from sparktune.space import hp
from sparktune.space.distributions import Categorical, Numeric
from sparktune.space.evaluation import rec_eval
from sparktune.space.expression import Apply, scope
from sparktune.space.space import Space
from sparktune.testing import spaces

PROPERTY = settings(max_examples=150, deadline=None, derandomize=True)


def three_deep() -> dict[str, Any]:
    """a -> b -> c -> leaf, each but the leaf a choice, with a parameter beside each of them."""
    c = hp.choice("c", [{"leaf": hp.uniform("leaf", 0, 1)}, "no leaf"])
    b = hp.choice("b", ["no c", {"c": c, "beside c": hp.uniform("beside c", 0, 1)}])
    a = hp.choice("a", [{"b": b, "beside b": hp.uniform("beside b", 0, 1)}, "no b"])
    return {"a": a, "beside a": hp.uniform("beside a", 0, 1)}


def conditions(space: Space) -> dict[str, set[tuple[str, int]]]:
    """The conditions of each label by label."""
    return {
        column.label: {(space.labels[parent], option) for parent, option in column.conditions}
        for column in space.columns
    }


def active(space: Space, values: dict[str, Any]) -> set[str]:
    """Labels that the choices among the values make active."""
    mask = space.active(space.encode(values)[None])[0]
    return {space.labels[j] for j in np.flatnonzero(mask)}


# Columns and conditions


def test_every_parameter_is_a_column_and_choices_come_before_what_depends_on_them() -> None:
    space = Space(three_deep())
    assert set(space.labels) == {"a", "b", "c", "leaf", "beside a", "beside b", "beside c"}
    assert len(space) == 7
    for j, column in enumerate(space.columns):
        assert all(parent < j for parent, _ in column.conditions)


def test_conditions_name_the_nearest_choice_above() -> None:
    assert conditions(Space(three_deep())) == {
        "a": set(),
        "beside a": set(),
        "b": {("a", 0)},
        "beside b": {("a", 0)},
        "c": {("b", 1)},
        "beside c": {("b", 1)},
        "leaf": {("c", 0)},
    }


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({"a": 1}, {"a", "beside a"}),
        ({"a": 1, "b": 1, "c": 0}, {"a", "beside a"}),
        ({"a": 0, "b": 0}, {"a", "beside a", "b", "beside b"}),
        (
            {"a": 0, "b": 1, "c": 1},
            {"a", "beside a", "b", "beside b", "c", "beside c"},
        ),
        (
            {"a": 0, "b": 1, "c": 0},
            {"a", "beside a", "b", "beside b", "c", "beside c", "leaf"},
        ),
    ],
)
def test_a_parameter_is_active_where_all_choices_above_it_lead_there(
    choices: dict[str, int], expected: set[str]
) -> None:
    assert active(Space(three_deep()), choices) == expected


def test_inactive_parameters_are_nan_and_have_no_value() -> None:
    space = Space(three_deep())
    X = space.sample(np.random.default_rng(0), 200)
    np.testing.assert_array_equal(np.isnan(X), ~space.active(X))
    for row in X:
        values = space.values(row)
        assert set(values) == active(space, values)
    assert len({frozenset(space.values(row)) for row in X}) == 4


def test_a_node_used_in_several_branches_is_active_in_any_of_them() -> None:
    shared = hp.uniform("shared", 0, 1)
    space = Space(hp.choice("model", [{"s": shared}, {"s": shared + 1}, "without"]))
    assert conditions(space)["shared"] == {("model", 0), ("model", 1)}
    assert active(space, {"model": 0}) == active(space, {"model": 1}) == {"model", "shared"}
    assert active(space, {"model": 2}) == {"model"}
    assert space.decode({"model": 1, "shared": 0.5}) == {"s": 1.5}


def test_a_node_used_in_branches_of_different_choices_is_active_in_any_of_them() -> None:
    shared = hp.uniform("shared", 0, 1)
    space = Space([hp.choice("first", [shared, 0]), hp.choice("second", [0, 0, shared])])
    assert conditions(space)["shared"] == {("first", 0), ("second", 2)}
    assert "shared" in active(space, {"first": 1, "second": 2})
    assert "shared" in active(space, {"first": 0, "second": 0})
    assert "shared" not in active(space, {"first": 1, "second": 1})


def test_a_choice_used_in_several_branches_takes_its_options_along() -> None:
    inner = hp.choice("inner", [hp.uniform("leaf", 0, 1), "none"])
    space = Space(hp.choice("outer", [[inner], {"again": inner}, "without"]))
    assert conditions(space)["inner"] == {("outer", 0), ("outer", 1)}
    assert active(space, {"outer": 1, "inner": 0}) == {"outer", "inner", "leaf"}
    assert active(space, {"outer": 2, "inner": 0}) == {"outer"}


@pytest.mark.parametrize("outside_first", [True, False])
def test_a_node_also_used_outside_of_a_branch_is_always_active(outside_first: bool) -> None:
    shared = hp.uniform("shared", 0, 1)
    parts = [shared, hp.choice("model", [shared, "without"])]
    space = Space(parts if outside_first else parts[::-1])
    assert conditions(space)["shared"] == set()


def test_a_switch_over_a_parameter_has_conditions() -> None:
    space = Space(scope.switch(hp.randint("index", 2), hp.uniform("x", 0, 1), hp.normal("y", 0, 1)))
    assert conditions(space) == {"index": set(), "x": {("index", 0)}, "y": {("index", 1)}}


@pytest.mark.parametrize(
    "index",
    [
        hp.randint("index", 4) // 2,
        scope.int(hp.uniform("index", 0, 2)),
        scope.int(scope.hyperopt_param("index", scope.uniform(0, 2))),
        hp.choice("index", [0, 1]),
    ],
    ids=repr,
)
def test_below_a_computed_index_all_options_are_active(index: Apply) -> None:
    space = Space(scope.switch(index, hp.uniform("x", 0, 1), {"y": hp.uniform("y", 0, 1)}))
    assert conditions(space) == {"index": set(), "x": set(), "y": set()}
    for row in space.sample(np.random.default_rng(0), 20):
        values = space.values(row)
        assert space.decode(values) in (values["x"], {"y": values["y"]})


def test_a_choice_of_one_column_is_categorical_and_an_index_used_as_a_number_is_not() -> None:
    [choice] = Space(hp.choice("c", "abc")).columns
    [number] = Space(hp.randint("r", 3)).columns
    assert choice.distribution == Categorical((1 / 3,) * 3)
    assert number.distribution == Numeric(-0.5, 2.5, q=1, integer=True)


def test_parameters_are_found_wherever_they_stand() -> None:
    space = Space(
        {
            "sum": hp.uniform("a", 0, 1) + 2 * hp.uniform("b", 0, 1),
            "call": scope.max(hp.uniform("c", 0, 1), 0.5),
            "list": [1, (hp.uniform("d", 0, 1), {"deep": hp.uniform("e", 0, 1)})],
            "dict": scope.dict([("f", hp.uniform("f", 0, 1))], g=hp.uniform("g", 0, 1)),
            "keyword": scope.kwswitch("h", h=hp.uniform("h", 0, 1)),
        }
    )
    assert sorted(space.labels) == list("abcdefgh")
    config = space.decode(dict.fromkeys("abcdefgh", 0.25))
    assert config["sum"] == 0.75
    assert config["dict"] == {"f": 0.25, "g": 0.25}


def test_a_space_without_parameters_is_one_configuration() -> None:
    space = Space({"x": 3})
    assert len(space) == 0
    assert space.sample(np.random.default_rng(0), 2).shape == (2, 0)
    assert space.decode(space.values(np.empty(0))) == {"x": 3}


def test_many_parameters_in_a_deep_sum_are_read() -> None:
    parameters = [hp.uniform(f"x{i}", 0, 1) for i in range(5000)]
    space = Space(functools.reduce(operator.add, parameters))
    assert len(space) == 5000
    assert space.decode(dict.fromkeys(space.labels, 1.0)) == 5000


# What is refused


@pytest.mark.parametrize("nothing", [{}, [], (), None, 3, "x"], ids=repr)
def test_a_space_of_nothing_is_refused(nothing: Any) -> None:
    with pytest.raises(BadSearchSpace, match=r"the search space is .*for example {'x': hp\.un"):
        Space(nothing)


def test_two_nodes_with_one_label_are_refused_with_both_places() -> None:
    first = hp.uniform("x", 0, 1)
    second = hp.uniform("x", 0, 1)
    with pytest.raises(DuplicateLabel) as caught:
        Space({"a": first, "b": [0, hp.choice("c", [1, second])]})
    message = str(caught.value)
    assert "share the label 'x'" in message
    assert f"space['a'] (made in {first.pos_args[0].place})" in message
    assert f"space['b'][1] -> option 1 (made in {second.pos_args[0].place})" in message
    assert first.pos_args[0].place != second.pos_args[0].place
    assert __file__ in message


def test_one_node_used_twice_is_one_parameter() -> None:
    x = hp.uniform("x", 0, 1)
    space = Space({"a": x, "b": [x, x * 2]})
    assert space.labels == ("x",)
    assert space.decode({"x": 0.5}) == {"a": 0.5, "b": (0.5, 1.0)}


def test_a_distribution_without_a_label_is_refused_with_its_place() -> None:
    with pytest.raises(BadSearchSpace, match=r"space\['a'\]\[1\] holds uniform.*without a label"):
        Space({"a": [0, scope.uniform(0, 1)]})


@pytest.mark.parametrize("bound", [hp.uniform("y", 1, 2), scope.normal(0, 1)], ids=repr)
def test_a_bound_that_is_no_number_is_refused(bound: Apply) -> None:
    node = scope.hyperopt_param("x", scope.uniform(0, bound))
    with pytest.raises(BadSearchSpace, match=r"space\['a'\]: cannot read uniform.*be numbers"):
        Space({"a": node})


def test_a_parameter_of_no_distribution_is_refused() -> None:
    with pytest.raises(BadSearchSpace, match=r"space uses 'max', which is not a distribution"):
        Space(scope.hyperopt_param("x", scope.max(0, 1)))


def test_a_computed_label_is_refused() -> None:
    with pytest.raises(BadSearchSpace, match=r"label of .* must be a plain string"):
        Space(scope.hyperopt_param(scope.str(3), scope.uniform(0, 1)))


def test_parameters_written_with_scope_alone_are_read() -> None:
    written = Space(scope.hyperopt_param("x", scope.quniform(low=0, high=1, q=0.5)))
    assert written.fingerprint() == Space(hp.quniform("x", 0, 1, 0.5)).fingerprint()


# check


def test_a_checked_point_holds_python_scalars_of_the_active_parameters() -> None:
    space = Space(three_deep())
    given = {"a": np.int64(1), "beside a": np.float32(0.5), "b": 1, "leaf": 0.25}
    checked = space.check(given)
    assert checked == {"a": 1, "beside a": 0.5}
    assert [type(value) for value in checked.values()] == [int, float]


def test_a_point_outside_a_numeric_range_passes() -> None:
    space = Space({"x": hp.uniform("x", 0, 1), "r": hp.randint("r", 3)})
    assert space.check({"x": 7, "r": 7.0}) == {"x": 7.0, "r": 7}


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ([0], r"a point must be a dict of {label: value}, got \[0\]"),
        ({}, "lacks a value for 'c', 'r'"),
        ({"c": 0, "r": 1}, "lacks a value for 'x'"),
        ({"c": 1, "r": 1, "z": 0}, "unknown parameter 'z'; the space has 'c', 'r', 'x'"),
        ({"c": "a", "r": 1}, "'c' must be an integer, got 'a' .*index of its option"),
        ({"c": "1", "r": 1}, "'c' must be an integer, got '1' .*index of its option"),
        ({"c": 0.5, "r": 1}, r"'c' must be an integer, got 0\.5"),
        ({"c": [1], "r": 1}, r"'c' must be an integer, got \[1\]"),
        ({"c": 2, "r": 1}, "'c' must be an index from 0 to 1, got 2"),
        ({"c": -1, "r": 1}, "'c' must be an index from 0 to 1, got -1"),
        ({"c": 1, "r": 1.5}, r"'r' must be an integer, got 1\.5$"),
        ({"c": 1, "r": float("inf")}, "'r' must be an integer, got inf"),
        ({"c": 0, "r": 1, "x": None}, "'x' must be a number, got None"),
        ({"c": 0, "r": 1, "x": float("nan")}, "'x' must be a number, got nan"),
        ({"c": 0, "r": 1, "x": float("inf")}, "'x' must be a number, got inf"),
    ],
    ids=repr,
)
def test_an_impossible_point_is_refused(point: Any, message: str) -> None:
    space = Space([hp.choice("c", [hp.uniform("x", 0, 1), "b"]), hp.randint("r", 3)])
    with pytest.raises(InvalidArgument, match=message):
        space.check(point)


def test_decoding_without_an_active_value_names_the_parameter() -> None:
    with pytest.raises(KeyError, match="no value given for the parameter 'beside a'"):
        Space(three_deep()).decode({"a": 1})


def test_encoding_ignores_foreign_labels() -> None:
    space = Space(three_deep())
    row = space.encode({"a": 1, "foreign": 3})
    assert space.values(row) == {"a": 1}


# fingerprint

PLAIN = {"x": hp.uniform("x", 0, 1), "c": hp.choice("c", [hp.normal("n", 0, 1), "b"])}


def test_fingerprints_of_equal_spaces_are_equal_in_any_process() -> None:
    again = {"c": hp.choice("c", [hp.normal("n", 0, 1), "b"]), "x": hp.uniform("x", 0, 1.0)}
    assert Space(PLAIN).fingerprint() == Space(again).fingerprint()
    assert Space(hp.uniform("x", 0, 1)).fingerprint() == "2aed815f431fca71"


@pytest.mark.parametrize(
    "other",
    [
        PLAIN | {"x": hp.uniform("x", 0, 2)},
        PLAIN | {"x": hp.uniform("y", 0, 1)},
        PLAIN | {"x": hp.quniform("x", 0, 1, 0.1)},
        PLAIN | {"x": hp.loguniform("x", 0, 1)},
        PLAIN | {"y": hp.uniform("y", 0, 1)},
        PLAIN | {"c": hp.choice("c", ["b", hp.normal("n", 0, 1)])},
        PLAIN | {"c": [hp.choice("c", "ab"), hp.normal("n", 0, 1)]},
        PLAIN | {"c": hp.pchoice("c", [(0.4, hp.normal("n", 0, 1)), (0.6, "b")])},
    ],
    ids=repr,
)
def test_fingerprints_of_different_spaces_differ(other: dict[str, Any]) -> None:
    assert Space(other).fingerprint() != Space(PLAIN).fingerprint()


# Round trips


@pytest.mark.parametrize("name", spaces())
def test_a_pickled_space_is_the_same_space(name: str) -> None:
    space = spaces()[name]
    copy = pickle.loads(pickle.dumps(space))
    assert copy.fingerprint() == space.fingerprint()
    [row] = space.sample(np.random.default_rng(0), 1)
    assert copy.decode(copy.values(row)) == space.decode(space.values(row))


Maker = Callable[[str], Apply]
numbers = st.sampled_from(
    [
        lambda label: hp.uniform(label, -2, 3),
        lambda label: hp.quniform(label, 0, 10, 3),
        lambda label: hp.uniformint(label, -3, 3),
        lambda label: hp.randint(label, 2, 6),
        lambda label: hp.loguniform(label, -3, 2),
        lambda label: hp.qloguniform(label, -1, 3, 0.5),
        lambda label: hp.normal(label, 1, 2),
        lambda label: hp.qnormal(label, 1, 2, 0.25),
        lambda label: hp.lognormal(label, 0, 1),
        lambda label: hp.qlognormal(label, 0, 1, 0.5),
    ]
)


class Grower:
    """Grows nested expressions of all kinds of nodes, some of them used more than once."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.nodes: list[Apply] = []

    def kept(self, node: Apply) -> Apply:
        self.nodes.append(node)
        return node

    def leaf(self) -> Any:
        kind = self.draw(st.sampled_from(["number", "number", "constant", "node again"]))
        if kind == "constant":
            return self.draw(st.sampled_from([None, "text", 3, 0.5]))
        if kind == "node again" and self.nodes:
            return self.draw(st.sampled_from(self.nodes))
        return self.kept(self.draw(numbers)(f"number {len(self.nodes)}"))

    def expression(self, depth: int) -> Any:
        kind = self.draw(st.sampled_from(["leaf", "list", "dict", "choice", "pchoice"]))
        if depth == 0 or kind == "leaf":
            return self.leaf()
        children = [self.expression(depth - 1) for _ in range(self.draw(st.integers(1, 3)))]
        label = f"choice {len(self.nodes)}"
        if kind == "choice":
            return self.kept(hp.choice(label, children))
        if kind == "pchoice":
            share = 1 / len(children)
            return self.kept(hp.pchoice(label, [(share, child) for child in children]))
        return children if kind == "list" else dict(enumerate(children))


@st.composite
def expressions(draw: st.DrawFn) -> dict[str, Any]:
    grower = Grower(draw)
    return {"deep": grower.expression(4), "again": grower.leaf()}


@PROPERTY
@given(expressions(), st.integers(0, 2**32 - 1))
def test_rows_survive_values_and_back(expression: Any, seed: int) -> None:
    space = Space(expression)
    for row in space.sample(np.random.default_rng(seed), 5):
        values = space.values(row)
        np.testing.assert_array_equal(space.encode(values), row)
        assert space.check(values) == values
        assert all(type(value) in (int, float) for value in values.values())


@PROPERTY
@given(expressions(), st.integers(0, 2**32 - 1))
def test_evaluation_needs_the_active_parameters_and_no_others(expression: Any, seed: int) -> None:
    space = Space(expression)
    [row] = space.sample(np.random.default_rng(seed), 1)
    values = space.values(row)
    config = space.decode(values)
    for label in values:
        others = {key: value for key, value in values.items() if key != label}
        with pytest.raises(KeyError, match=f"'{label}'"):
            space.decode(others)
    assert rec_eval(space.expression, space.memo(values | {"foreign": 1})) == config


def test_a_space_shows_its_parameters() -> None:
    space = Space({"k": hp.choice("k", ["a", hp.uniform("x", 0, 1)])})
    assert repr(space) == "<Space: k: choice of 2; x: uniform(0, 1) if k=1>"
    assert len(repr(Space([hp.normal(str(i), 0, 1) for i in range(100)]))) < 600
