"""What the values of records stand for, and what options are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune import hp, scope
from sparktune.space.space import Space


class Model:
    """An option that is no plain value."""


SHARED = hp.choice("shared", [10, 20])


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        (hp.uniform("x", 0, 1), {"x": 0.5}, 0.5),
        (hp.quniform("x", 0, 9, 3), {"x": 3.0}, 3.0),
        (scope.int(hp.quniform("x", 0, 9, 3)), {"x": 3.0}, 3),
        (hp.uniformint("x", 0, 9), {"x": 3}, 3),
        (hp.randint("x", 9), {"x": 3}, 3),
        (2 ** hp.randint("x", 9), {"x": 3}, 3),  # the parameter, not what is made of it
        (hp.choice("x", ["a", None]), {"x": 1}, None),
        (hp.choice("x", [Model, True]), {"x": 0}, Model),
        (hp.pchoice("x", [(0.5, 1), (0.5, 2.0)]), {"x": 1}, 2.0),
        (hp.choice("x", [{"y": hp.randint("y", 5)}, 0]), {"x": 0, "y": 4}, {"y": 4}),
        ([hp.choice("x", [SHARED, 0]), SHARED], {"x": 0, "shared": 1}, 20),
    ],
    ids=repr,
)
def test_values_are_what_the_objective_receives(
    expression: Any, values: dict[str, Any], expected: Any
) -> None:
    found = Space(expression).evaluate(values)
    assert found.keys() == values.keys()
    assert found["x"] == expected
    assert type(found["x"]) is type(expected)


def test_inactive_parameters_have_no_value() -> None:
    space = Space(hp.choice("x", [{"y": hp.randint("y", 5)}, "none"]))
    assert space.evaluate({"x": 1}) == {"x": "none"}


def test_an_index_that_is_used_twice_stays_an_index() -> None:
    index = hp.randint("i", 2)
    space = Space([scope.switch(index, "a", "b"), scope.switch(index, "c", "d")])
    assert space.evaluate({"i": 1}) == {"i": 1}
    assert space.options() == {}


def test_options_are_plain_values_or_short_texts() -> None:
    nested = {"kind": "svm", "C": hp.lognormal("C", 0, 1), "deep": [hp.choice("deep", [1, 2]), 3]}
    given = ["text", 1, 2.5, True, None, np.int64(3), Model, nested, (1, "b"), {"k": "v" * 99}]
    space = Space({"c": hp.choice("c", given), "u": hp.uniform("u", 0, 1)})
    found = space.options()
    assert found.keys() == {"c", "deep"}
    plain, texts = found["c"][:6], found["c"][6:]
    assert plain == ["text", 1, 2.5, True, None, 3]
    assert [type(value) for value in plain] == [str, int, float, bool, type(None), int]
    assert texts[:3] == ["Model", "svm", "(1, 'b')"]
    assert texts[3].startswith("vvv")
    assert texts[3].endswith("...")
    assert len(texts[3]) == 60


def test_options_have_names_that_tell_them_apart() -> None:
    u = hp.uniform("u", 0, 1)
    given = [
        "svm",
        {"kind": "svm", "C": u},
        {"kind": "forest", "note": "second"},
        {"kind": "rf", "depth": 1},
        {"kind": "rf", "depth": 2},
        {"size": u},
        {"size": u},
        u,
        [u, "a"],
    ]
    assert Space(hp.choice("c", given)).options()["c"] == [
        "svm",
        "{'C': u, 'kind': 'svm'}",
        "forest",
        "{'depth': 1, 'kind': 'rf'}",
        "{'depth': 2, 'kind': 'rf'}",
        "{'size': u} (5)",
        "{'size': u} (6)",
        "u",
        "(u, 'a')",
    ]


class Silent:
    def __repr__(self) -> str:
        raise ValueError("not yet")


def test_options_that_cannot_be_written_have_names_too() -> None:
    space = Space(hp.choice("c", [Silent(), Silent(), {"inner": Silent()}]))
    assert space.options()["c"] == ["<Silent> (0)", "<Silent> (1)", "{'inner': <Silent>}"]
