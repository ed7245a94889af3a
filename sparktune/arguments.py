"""Checks of the arguments of public functions. Each check returns the value, or raises
InvalidArgument with a message that says what is valid.
"""

from __future__ import annotations

import operator
from numbers import Integral, Real
from typing import Any

from sparktune.errors import InvalidArgument, brief


def whole(name: str, value: Any, least: int, otherwise: str = "") -> int:
    """Return `value` as an int, if it is an integer >= `least`; `otherwise` extends the message."""
    if is_whole(value) and value >= least:
        return operator.index(value)
    raise InvalidArgument(f"{name} must be an integer >= {least}{otherwise}, got {brief(value)}")


def positive(name: str, value: Any) -> float | None:
    """Return `value` as a float, if it is a number > 0, or None. The message is Hyperopt's, because
    programs may match it.
    """
    if value is None:
        return None
    if is_real(value) and value > 0:
        return float(value)
    raise InvalidArgument(
        f"The {name} argument should be None or a positive value. Given value: {_as_text(value)}"
    )


def numeric(name: str, value: Any) -> float | None:
    """Return `value` as a float, if it is a number, or None. The message is Hyperopt's."""
    if value is None:
        return None
    if is_real(value):
        return float(value)
    raise InvalidArgument(
        f"The {name} argument should be None or a numeric value. Given value: {_as_text(value)}"
    )


def _as_text(value: Any) -> str:
    """The text of a value in Hyperopt's messages: a short text has no quotes."""
    shown = brief(value)
    return value if isinstance(value, str) and shown == repr(value) else shown


def is_real(value: Any) -> bool:
    """Whether a value is a real number, and neither a bool nor NaN."""
    return not isinstance(value, bool) and isinstance(value, Real) and value == value


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of Python or another library, and not a bool."""
    return not isinstance(value, bool) and isinstance(value, Integral)
