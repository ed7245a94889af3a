"""Checks of arguments: a message is short and clear whatever the argument is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sparktune import Spark, Threads, fmin, hp
from sparktune.arguments import numeric, positive
from sparktune.errors import InvalidArgument


class Unshown:
    """Has no text."""

    def __repr__(self) -> str:
        raise RuntimeError


NESTED: list[Any] = []
for _ in range(900):
    NESTED = [NESTED]


VALUES: dict[str, Any] = {
    "a long text": "x" * 10_000,
    "a nested list": NESTED,
    "a long number": -(10**5000),
    "without a text": Unshown(),
    "a long list": [1] * 10_000,
}


@pytest.mark.parametrize("name", VALUES)
def test_messages_are_short(name: str) -> None:
    value = VALUES[name]

    def run(**more: Any) -> Any:
        return fmin(lambda x: x, hp.uniform("x", 0, 1), "random", **({"max_evals": 1} | more))

    calls: list[Callable[[], Any]] = [
        lambda: run(max_evals=value),
        lambda: run(seed=value),
        lambda: run(timeout=value),
        lambda: Threads(value),
        lambda: Spark(value),
    ]
    for call in calls:
        with pytest.raises(InvalidArgument) as raised:
            call()
        assert len(str(raised.value)) < 700


def test_hyperopts_messages_show_a_text_as_it_was_given() -> None:
    with pytest.raises(InvalidArgument, match=r"Given value: a$"):
        numeric("loss_threshold", "a")
    with pytest.raises(InvalidArgument, match=r"Given value: 'a+\.\.\.a+'$"):
        positive("timeout", "a" * 10_000)
