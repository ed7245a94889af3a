"""Expressions as Hyperopt's programs, and the packages on top of it, use them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune.hyperopt import fmin, hp, pyll, rand
from sparktune.hyperopt.graph_viz import dot_hyperparameters
from sparktune.hyperopt.pyll import as_apply, scope
from sparktune.hyperopt.pyll.stochastic import sample
from sparktune.hyperopt.pyll_utils import EQ, expr_to_config


class Forest:
    """Stands for an estimator of another package."""

    def __init__(self, n: int, depth: int | None = None) -> None:
        self.n, self.depth = n, depth


@scope.define
def build_forest(n: int, depth: int | None = None) -> Forest:
    return Forest(n, depth)


def test_spaces_of_constructors() -> None:
    space = hp.choice(
        "model",
        [
            scope.build_forest(scope.int(hp.quniform("n", 10, 50, 10))),
            scope.build_forest(hp.randint("n2", 1, 5), depth=hp.choice("depth", [None, 3])),
        ],
    )
    built = [sample(space, np.random.default_rng(i)) for i in range(200)]
    assert {type(each) for each in built} == {Forest}
    # the rarest, 10 and 50, are 1/16 each: one is missed with probability 5e-6
    assert {each.n for each in built} >= {10, 20, 30, 40, 50, 1, 2, 3, 4}
    assert {each.depth for each in built} == {None, 3}
    best = fmin(lambda model: model.n, space, rand.suggest, 30, verbose=False)
    assert set(best) <= {"model", "n", "n2", "depth"}


def test_arithmetic_indexing_and_unpacking() -> None:
    x = hp.uniform("x", 1, 2)
    first, second = as_apply([x, 2 * x])
    expr = {"sum": first + second, "item": as_apply([10, 20])[1], "power": x**2 / 2 - 1}
    values = sample(expr, np.random.default_rng(0))
    drawn = values["sum"] / 3
    assert 1 <= drawn <= 2
    assert values["item"] == 20
    assert values["power"] == pytest.approx(drawn**2 / 2 - 1)


@pytest.mark.parametrize(
    ("name", "arguments", "mean", "deviation"),
    [
        ("uniform", (0, 4), 2, 4 / np.sqrt(12)),
        ("quniform", (0, 4, 1), 2, np.sqrt(4**2 / 12 + 1 / 12)),
        ("normal", (3, 2), 3, 2),
        ("qnormal", (3, 2, 0.5), 3, np.sqrt(4 + 0.25 / 12)),
        ("lognormal", (0, 0.5), np.exp(0.125), np.exp(0.125) * np.sqrt(np.exp(0.25) - 1)),
        ("loguniform", (0, 1), np.e - 1, np.sqrt((np.e**2 - 1) / 2 - (np.e - 1) ** 2)),
        ("randint", (4,), 1.5, np.sqrt(15 / 12)),
        ("randint", (2, 6), 3.5, np.sqrt(15 / 12)),
        ("categorical", ([0.2, 0.3, 0.5],), 1.3, np.sqrt(0.3 + 4 * 0.5 - 1.69)),
    ],
)
def test_raw_distributions_draw(name: str, arguments: Any, mean: float, deviation: float) -> None:
    rng = np.random.default_rng(11)
    node = getattr(scope, name)(*arguments)
    drawn = [sample(node, rng) for _ in range(2000)]
    # 5 standard errors: false alarm with probability 6e-7 each
    assert np.mean(drawn) == pytest.approx(mean, abs=5 * deviation / np.sqrt(2000))


def test_noise_with_a_generator_of_its_own_may_stand_in_a_space() -> None:
    noise = scope.normal(0, 1, rng=np.random.default_rng(3))
    losses = []
    fmin(
        lambda value: losses.append(value) or value,
        hp.uniform("x", 0, 1) * 0 + noise,
        rand.suggest,
        5,
        verbose=False,
    )
    assert losses == np.random.default_rng(3).normal(0, 1, 5).tolist()


def test_one_of_and_choice_are_drawn() -> None:
    nodes = (scope.one_of("a", "b"), scope.choice(["a", "b"]))
    for node in nodes:
        drawn = {sample(node, np.random.default_rng(i)) for i in range(30)}
        assert drawn == {"a", "b"}  # misses one with probability 2 ** -29


def test_a_drawn_expression_is_not_changed() -> None:
    space = {"x": hp.uniform("x", 0, 1)}
    copied = pyll.clone(as_apply(space))
    values = [sample(each, np.random.default_rng(2)) for each in (space, space, copied)]
    assert values[0] == values[1] == values[2]
    assert {id(node) for node in pyll.dfs(copied)}.isdisjoint(map(id, pyll.dfs(as_apply(space))))


def test_nodes_know_their_arguments_by_name() -> None:
    (parameter,) = [
        node for node in pyll.dfs(hp.quniform("x", 0, 5, 2)) if node.name == "hyperopt_param"
    ]
    assert parameter.arg["label"].obj == "x"
    distribution = parameter.arg["obj"]
    assert (distribution.name, distribution.arg["q"].obj) == ("quniform", 2)
    assert distribution.arg["rng"] is pyll.base.MissingArgument
    assert (as_apply(2) + 3).eval() == 5


def test_every_node_comes_after_its_arguments() -> None:
    shared = hp.uniform("x", 0, 1)
    expr = as_apply({"a": shared + 1, "b": [shared, shared * 2]})
    order = pyll.toposort(expr)
    assert len(order) == len(set(order))
    assert order[-1] is expr
    for node in order:
        assert all(order.index(child) < order.index(node) for child in node.inputs())


def test_evaluation_takes_hyperopts_arguments() -> None:
    x = hp.uniform("x", 0, 1)
    (node,) = [node for node in pyll.dfs(x) if node.name == "hyperopt_param"]
    value = pyll.rec_eval({"x": x}, memo={node: 0.5}, print_node_on_error=False, memo_gc=False)
    assert value == {"x": 0.5}


def test_the_conditions_of_parameters() -> None:
    inner = hp.choice("inner", [hp.normal("deep", 0, 1), 2])
    space = hp.choice("outer", [hp.uniform("x", 0, 1), [inner, hp.randint("n", 3)]])
    found: dict[str, Any] = {}
    expr_to_config(space, None, found)
    assert {label: entry["conditions"] for label, entry in found.items()} == {
        "outer": {()},
        "x": {(EQ("outer", 0),)},
        "inner": {(EQ("outer", 1),)},
        "n": {(EQ("outer", 1),)},
        "deep": {(EQ("outer", 1), EQ("inner", 0))},
    }
    assert found["deep"]["node"].name == "normal"


def test_a_parameter_of_all_options_has_no_condition() -> None:
    x = hp.uniform("x", 0, 1)
    for switch in (hp.choice("c", [x, x + 1]), hp.pchoice("c", [(0.5, x), (0.5, 2 * x)])):
        found: dict[str, Any] = {}
        expr_to_config(switch, (), found)
        assert found["x"]["conditions"] == {()}


def test_a_space_as_a_graph() -> None:
    space = hp.choice(
        'the "outer"', [hp.uniform("x", 0, 1), hp.choice("inner", [1, hp.normal("y", 0, 1)])]
    )
    lines = dot_hyperparameters(space).splitlines()
    assert (lines[0], lines[-1]) == ("digraph {", "}")
    assert r'"the \"outer\"" [shape=box];' in lines
    assert '"x" [shape=box];' in lines
    assert '"inner=1" [shape=ellipse];' in lines
    assert r'"the \"outer\"=0" -> "x";' in lines
    assert r'"the \"outer\"=1 & inner=1" -> "y";' in lines
    assert len(set(lines)) == len(lines)
