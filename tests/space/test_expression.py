"""Nodes, scope and their evaluation."""

from __future__ import annotations

import doctest
import functools
import operator
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from sparktune.space import expression, hp
from sparktune.space.evaluation import rec_eval
from sparktune.space.expression import Apply, Literal, as_apply, scope

Pair = namedtuple("Pair", "first second")
SEVEN = scope.identity(7)
HALF = scope.identity(0.5)


@pytest.fixture
def halve() -> Iterator[Callable[[float], float]]:
    """A function that the test may define; forgotten afterwards."""

    def halve(x: float) -> float:
        return x / 2

    yield halve
    if "halve" in scope._impls:
        scope.undefine(halve)


# Containers and constants


def test_lists_and_tuples_come_back_as_tuples() -> None:
    assert rec_eval([1, (2, [3]), []]) == (1, (2, (3,)), ())


def test_nodes_inside_a_named_tuple_are_evaluated() -> None:
    assert rec_eval(Pair(SEVEN, [SEVEN])) == (7, (7,))


def test_dict_keys_are_sorted_and_subclasses_become_dicts() -> None:
    result = rec_eval(OrderedDict([("b", 1), ("a", SEVEN)]))
    assert type(result) is dict
    assert list(result.items()) == [("a", 7), ("b", 1)]


def test_dict_keys_need_not_be_strings() -> None:
    assert rec_eval({2: SEVEN, 1: "x"}) == {1: "x", 2: 7}


def test_dict_keys_that_cannot_be_sorted_together_are_refused() -> None:
    with pytest.raises(TypeError, match=r"sortable together.*\['a', 1\].*one type"):
        as_apply({"a": 1, 1: 2})


@pytest.mark.parametrize("constant", [object(), np.arange(3), {1, 2}, "text", None, abs])
def test_a_constant_is_passed_on_as_the_very_object(constant: Any) -> None:
    assert rec_eval({"x": constant})["x"] is constant


def test_a_node_is_its_own_node() -> None:
    assert as_apply(SEVEN) is SEVEN


# Arithmetic

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]


@pytest.mark.parametrize("function", BINARY)
def test_binary_operators_work_on_nodes_from_both_sides(function: Callable[..., Any]) -> None:
    assert rec_eval(function(SEVEN, 3)) == function(7, 3)
    assert rec_eval(function(3, SEVEN)) == function(3, 7)
    assert rec_eval(function(SEVEN, HALF)) == function(7, 0.5)


def test_negation_and_absolute_value_work_on_nodes() -> None:
    assert rec_eval(-SEVEN) == -7
    assert rec_eval(abs(-SEVEN)) == 7


def test_items_of_a_node_are_nodes() -> None:
    node = scope.identity({"a": [1, 2]})
    assert rec_eval(node["a"][1]) == 2
    assert rec_eval(scope.identity([10, 20, 30])[SEVEN - 5]) == 30


def test_a_node_can_be_called_with_nodes() -> None:
    power = scope.identity(pow)
    assert rec_eval(power(SEVEN, 2)) == 49
    assert rec_eval(scope.identity(dict)(a=SEVEN)) == {"a": 7}


def test_a_node_of_known_length_can_be_unpacked() -> None:
    first, second = as_apply([SEVEN, 8])
    assert (rec_eval(first), rec_eval(second)) == (7, 8)
    assert len(Literal((1, 2, 3))) == 3


def test_a_node_of_unknown_length_says_so() -> None:
    with pytest.raises(TypeError, match=r"length of identity\(\.\.\.\) is not known"):
        len(SEVEN)


def test_a_node_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"no truth value.*hp\.choice"):
        bool(SEVEN > 3)


def test_a_node_shows_its_expression() -> None:
    assert repr(scope.max(SEVEN, key=1)) == "max(identity(Literal(7)), key=Literal(1))"


# Evaluation


def test_every_node_is_evaluated_once(halve: Callable[[float], float]) -> None:
    calls: list[float] = []

    @functools.wraps(halve)
    def counted(x: float) -> float:
        calls.append(x)
        return halve(x)

    scope.define(counted)
    shared = scope.halve(SEVEN)
    assert rec_eval([shared, shared + shared, {"x": shared}]) == (3.5, 7.0, {"x": 3.5})
    assert calls == [7]


def test_a_deep_chain_does_not_reach_the_recursion_limit() -> None:
    chain = functools.reduce(operator.add, [1] * 5000, SEVEN)
    assert rec_eval(chain) == 5007


def test_of_a_switch_only_the_chosen_option_is_evaluated() -> None:
    bomb = scope.Raise(ValueError, "evaluated")
    assert rec_eval(scope.switch(SEVEN - 6, bomb, "b", bomb)) == "b"
    with pytest.raises(ValueError, match="evaluated"):
        rec_eval(scope.switch(SEVEN - 7, bomb, "b"))


@pytest.mark.parametrize("index", [True, np.int64(1), 1])
def test_a_switch_takes_any_integer(index: Any) -> None:
    assert rec_eval(scope.switch(index, "a", "b")) == "b"


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (2, IndexError, "must be less than its 2 options, got 2"),
        (-1, ValueError, "must not be negative, got -1"),
        (1.0, TypeError, r"switch argument was.*1\.0"),
        ("a", TypeError, "switch argument was.*a"),
        ([1], TypeError, "switch argument was"),
    ],
)
def test_a_switch_refuses_what_selects_no_option(
    index: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rec_eval(scope.switch(index, "a", "b"))


def test_known_values_of_nodes_are_used() -> None:
    assert rec_eval([SEVEN, SEVEN + 1], memo={SEVEN: 1}) == (1, 2)


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(KeyError, match="no value given for the parameter 'rate'"):
        rec_eval({"rate": hp.uniform("rate", 0, 1)})


def test_a_distribution_without_a_label_asks_for_one() -> None:
    with pytest.raises(TypeError, match=r"needs a label: write hp\.uniform"):
        rec_eval(scope.uniform(0, 1))


# scope


def test_a_defined_function_makes_nodes(halve: Callable[[float], float]) -> None:
    assert scope.define(halve) is halve
    node = scope.halve(x=SEVEN)
    assert isinstance(node, Apply)
    assert rec_eval(node) == 3.5


def test_a_name_in_use_is_not_overridden(halve: Callable[[float], float]) -> None:
    scope.define(halve)
    with pytest.raises(ValueError, match="Cannot override existing symbol") as caught:
        scope.define(halve)
    assert caught.value.args == ("Cannot override existing symbol", "halve")
    assert scope.define_if_new(halve) is halve


@pytest.mark.parametrize("name", ["int", "switch", "uniform", "hyperopt_param", "define", "apply"])
def test_names_of_the_scope_itself_cannot_be_redefined(name: str) -> None:
    def function() -> None: ...

    function.__name__ = name
    with pytest.raises(ValueError, match="Cannot override existing symbol"):
        scope.define(function)


def test_a_function_can_be_forgotten_and_defined_again(halve: Callable[[float], float]) -> None:
    scope.define_pure(halve)
    assert rec_eval(scope.halve(1)) == 0.5
    scope.undefine("halve")
    assert not hasattr(scope, "halve")
    assert scope.define_if_new(halve) is halve
    assert rec_eval(scope.halve(1)) == 0.5


def test_a_function_of_known_length_can_be_unpacked(halve: Callable[[float], float]) -> None:
    @functools.wraps(halve)
    def twice(x: float) -> tuple[float, float]:
        return halve(x), halve(x)

    scope.define_info(o_len=2)(twice)
    first, second = scope.halve(SEVEN)
    assert rec_eval(first + second) == 7


def test_an_unknown_function_names_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no function 'halv'.*@scope\.define.*Known: .*float"):
        scope.halv(3)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (scope.int(2.7), 2),
        (scope.float(SEVEN), 7.0),
        (scope.str(SEVEN), "7"),
        (scope.len([1, SEVEN]), 2),
        (scope.sum([1, SEVEN]), 8),
        (scope.min(SEVEN, 3), 3),
        (scope.max(SEVEN, 3), 7),
        (scope.minimum(SEVEN, 3.5), np.float64(3.5)),
        (scope.maximum(SEVEN, 3.5), np.float64(7)),
        (scope.pow(SEVEN, 2), 49),
        (scope.sqrt(SEVEN + 2), 3.0),
        (scope.log(scope.exp(2.0)), 2.0),
        (scope.sin(0.0) + scope.cos(0.0) + scope.tan(0.0), 1.0),
        (scope.range(SEVEN), range(7)),
        (scope.list((1, SEVEN)), [1, 7]),
        (scope.dict([("a", SEVEN)], b=1), {"a": 7, "b": 1}),
        (scope.map(abs, [-1, -SEVEN]), [1, 7]),
        (scope.getattr(3 + 4j, "imag"), 4.0),
        (scope.getitem([1, 2], 1), 2),
        (scope.kwswitch("b", a=1, b=SEVEN), 7),
        (scope.repeat(3, SEVEN), [7, 7, 7]),
        (scope.str_join("-", ["a", "b"]), "a-b"),
        (scope.call(abs, [-SEVEN]), 7),
        (scope.call_method("a-b", "split", "-"), ["a", "b"]),
        (scope.call_method_pure("a", "upper"), "A"),
        (scope.callpipe1([abs, str], -SEVEN), "7"),
        (scope.call(scope.partial(pow, 2), [SEVEN]), 128),
    ],
    ids=repr,
)
def test_the_functions_of_scope_compute(node: Apply, expected: Any) -> None:
    result = rec_eval(node)
    assert result == expected
    assert type(result) is type(expected)


def test_the_example_of_scope_runs() -> None:
    assert doctest.testmod(expression) == (0, 5)
