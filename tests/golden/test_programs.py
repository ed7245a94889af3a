"""Programs make the trials that they made before, to the bit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.golden.programs import GOLDEN, N, Program, arithmetic, told

EXPECTED = json.loads(GOLDEN.read_text())
TO_THE_BIT = EXPECTED["arithmetic"] == arithmetic()


def close_to(numbers: list[Any]) -> Any:
    """What numbers are equal to: these alone, or, where the last bits of logarithms are others,
    those that differ by a few bits.
    """
    if TO_THE_BIT:
        return numbers
    return [
        x if x is None else pytest.approx(as_float(x), rel=1e-13, abs=1e-13, nan_ok=True)
        for x in numbers
    ]


def as_float(number: Any) -> float:
    return float.fromhex(number) if isinstance(number, str) else number


@pytest.mark.parametrize("number", range(N))
def test_the_trials_of_a_program_are_the_same_to_the_bit(number: int) -> None:
    expected = EXPECTED["programs"][number]
    if expected["program"][0] == "tpe of Hyperopt" and not TO_THE_BIT:
        pytest.skip("options whose scores are equal: the last bit of a logarithm decides")
    found = json.loads(json.dumps(told(Program(number))))
    assert found["program"] == expected["program"]
    assert found["space"] == expected["space"]
    trials = zip(found["trials"], expected["trials"], strict=True)
    for i, ((status, loss, values), (wanted, *numbers)) in enumerate(trials):
        assert (status, [*values]) == (wanted, [*numbers[1]]), f"trial {i}"
        given = [loss, *values.values()]
        given = given if TO_THE_BIT else [x if x is None else as_float(x) for x in given]
        assert given == close_to([numbers[0], *numbers[1].values()]), f"trial {i}"
