"""Checks of the arguments of public functions. Each returns the value, or raises an error that says
what is valid.
"""

from __future__ import annotations

import operator
from numbers import Integral, Real
from typing import Any

from sparktune.errors import InvalidArgument, brief


def whole(name: str, value: Any, least: int, otherwise: str = "") -> int:
    """An integer >= `least`."""
    if is_whole(value) and value >= least:
        return operator.index(value)
    raise InvalidArgument(f"{name} must be an integer >= {least}{otherwise}, got {brief(value)}")


def positive(name: str, value: Any) -> float | None:
    """None or a number > 0, in seconds; the error is Hyperopt's, which programs may match."""
    if value is None:
        return None
    if is_real(value) and value > 0:
        return float(value)
    raise InvalidArgument(
        f"The {name} argument should be None or a positive value. Given value: {_given(value)}"
    )


def numeric(name: str, value: Any) -> float | None:
    """None or a number; the error is Hyperopt's."""
    if value is None:
        return None
    if is_real(value):
        return float(value)
    raise InvalidArgument(
        f"The {name} argument should be None or a numeric value. Given value: {_given(value)}"
    )


def _given(value: Any) -> str:
    """A value as Hyperopt's messages show it, a text without quotes, if it is short."""
    shown = brief(value)
    return value if isinstance(value, str) and shown == repr(value) else shown


def is_real(value: Any) -> bool:
    """Whether a value is a real number, and neither a bool nor NaN."""
    return not isinstance(value, bool) and isinstance(value, Real) and value == value


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of any library, and not a bool."""
    return not isinstance(value, bool) and isinstance(value, Integral)
