"""Parameters inside objects are refused, naming the place; namedtuples are looked into."""

from __future__ import annotations

import functools
import re
import types
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import pytest

from sparktune import fmin
from sparktune.errors import BadSearchSpace
from sparktune.hyperopt import fmin as fmin_of_the_door
from sparktune.hyperopt import rand
from sparktune.space import hp
from sparktune.space.expression import Apply, scope
from sparktune.space.space import Space


@dataclass(frozen=True)
class Adam:
    lr: Any
    name: str = "adam"


@dataclass(frozen=True, slots=True)
class Slotted:
    lr: Any


class Custom:
    def __init__(self, lr: Any) -> None:
        self.steps = [("first", 1), ("second", {"lr": lr})]

    def method(self) -> None: ...


class Point(NamedTuple):
    x: Any
    y: Any = 2


def _with_default(lr: Any) -> Callable[[], Any]:
    def made(rate: Any = lr) -> Any:
        return rate

    return made


def _holding_class(lr: Any) -> Any:
    return type("Config", (), {"lr": lr})


def _boxed(u: Apply) -> Any:
    box = np.empty((), dtype=object)
    box[()] = u
    return box


def _records(u: Apply) -> Any:
    made = np.zeros(2, dtype=[("a", "i4"), ("b", "O")])
    made["b"][1] = u
    return made


HIDING: dict[str, tuple[Callable[[Apply], Any], str]] = {
    "dataclass": (Adam, ".lr"),
    "slots": (Slotted, ".lr"),
    "custom object": (Custom, ".steps[1][1]['lr']"),
    "namespace": (lambda u: types.SimpleNamespace(a=u), ".a"),
    "class": (_holding_class, ".lr"),
    "object of a class": (lambda u: _holding_class(u)(), ".lr"),
    "bound method": (lambda u: Custom(u).method, ".steps[1][1]['lr']"),
    "array": (lambda u: np.array([[1, u], [2, 3]], dtype=object), "[0, 1]"),
    "array of one": (_boxed, "[]"),
    "records": (_records, "['b'][1]"),
    "set": (lambda u: {u}, " -> an element"),
    "frozenset": (lambda u: frozenset([1, u]), " -> an element"),
    "deque": (lambda u: deque([0, u]), "[1]"),
    "values of a dict": (lambda u: {"a": u}.values(), "[0]"),
    "partial": (lambda u: functools.partial(max, u), " -> arguments[0]"),
    "partial by name": (lambda u: functools.partial(max, key=u), "['key']"),
    "default": (_with_default, " -> defaults[0]"),
    "key of a dict": (lambda u: {u: 1}, "as a key"),
    "part of a key": (lambda u: {("a", u): 1}, " -> a key[1]"),
    "series": (lambda u: pd.Series([1, u], dtype=object), "[1]"),
    "index": (lambda u: pd.Index([u, 1], dtype=object), "[0]"),
    "frame": (lambda u: pd.DataFrame({"a": [1, 2], "b": [u, 2]}), "['b'][0]"),
    "closure": (lambda u: lambda: u, " -> its variable u"),
    "deeper": (lambda u: Adam([{"a": Adam({u})}]), ".lr[0]['a'].lr -> an element"),
    "converted": (lambda u: Adam(scope.int(u)), ".lr"),
    "arithmetic": (lambda u: Adam(2 * u + 1), ".lr"),
    "choice": (lambda u: Adam(hp.choice("u", [1, 2])), ".lr"),
}


@pytest.mark.parametrize("hiding", HIDING)
@pytest.mark.parametrize("run", [fmin, fmin_of_the_door])
def test_a_hidden_parameter_is_refused_before_anything_runs(hiding: str, run: Any) -> None:
    make, step = HIDING[hiding]
    called: list[Any] = []
    space = {"x": hp.uniform("x", 0, 1), "deep": [{"thing": make(hp.uniform("u", 0, 1))}]}
    with pytest.raises(BadSearchSpace, match=re.escape(step)) as caught:
        run(called.append, space, rand.suggest, 1, verbose=False)
    assert not called
    if "as a key" not in step:
        assert "space['deep'][0]['thing']" in str(caught.value)
        assert "'u'" in str(caught.value)


def test_a_parameter_hidden_in_an_option_is_refused_with_the_option() -> None:
    space = hp.choice("kind", [0, {"opt": Adam(hp.uniform("u", 0, 1))}])
    with pytest.raises(BadSearchSpace, match=r"option 1\['opt'\]\.lr holds the parameter 'u'"):
        Space(space)


def test_a_parameter_that_also_stands_where_it_may_is_refused_in_an_object() -> None:
    u = hp.uniform("u", 0, 1)
    with pytest.raises(BadSearchSpace, match="thing"):
        Space({"u": u, "thing": Adam(u)})


def test_objects_without_parameters_pass_as_they_are() -> None:
    class Own:
        space: ClassVar = {"a": hp.uniform("a", 0, 1)}

        @property
        def computed(self) -> Any:
            raise AssertionError("properties are not computed")

    loop: list[Any] = []
    loop.append({"loop": types.SimpleNamespace(loop=loop)})
    things = [
        *(Adam(0.1), Own(), np.zeros(10**6), {1, 2}, loop[0]["loop"], pd.DataFrame({"a": ["b"]})),
        *(functools.partial(max, 1), np.array([1, None], dtype=object), test_hidden_is_a_function),
    ]
    space = Space({"thing": hp.choice("thing", things), "a": Own.space["a"]})
    assert all(
        space.decode({"thing": i, "a": 0.5})["thing"] is thing for i, thing in enumerate(things)
    )


def test_hidden_is_a_function() -> None:
    assert callable(test_hidden_is_a_function)


def test_namedtuples_come_back_as_they_are() -> None:
    Pair = namedtuple("Pair", "first second")
    space = Space(
        {
            "point": Point(hp.uniform("x", 0, 1)),
            "kind": hp.choice("kind", [Pair(hp.randint("n", 5), [1]), Pair(1, 2)]),
        }
    )
    found = space.decode({"x": 0.5, "kind": 0, "n": 3})
    assert found == {"point": Point(0.5, 2), "kind": Pair(3, (1,))}
    assert type(found["point"]) is Point
    assert type(found["kind"]) is Pair
    assert space.describe()["n"].endswith("if kind=0")
    with pytest.raises(BadSearchSpace, match=re.escape("space.x.lr holds")):
        Space(Point(Adam(hp.uniform("x", 0, 1)), hp.uniform("y", 0, 1)))


def test_an_ordered_dict_is_a_dict() -> None:
    assert Space(OrderedDict(b=hp.uniform("x", 0, 1), a=1)).decode({"x": 0.5}) == {"a": 1, "b": 0.5}
