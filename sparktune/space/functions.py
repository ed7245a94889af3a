"""The predefined functions of `scope`, by name."""

from __future__ import annotations

import functools
import operator
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def _kwswitch(key: Any, **options: Any) -> Any:
    return options[key]


def _sum(items: Any, axis: int | None = None) -> Any:
    return sum(items) if axis is None else np.sum(items, axis=axis)


def _plain(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of numpy, changed to return a Python number instead of a numpy scalar."""

    def called(x: Any) -> Any:
        result = function(x)
        return result.item() if result.ndim == 0 else result

    return called


def _repeat(times: int, obj: Any) -> list[Any]:
    return [obj] * times


def _call(function: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
    return function(*args, **(kwargs or {}))


def _call_method(obj: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(obj, method)(*args, **kwargs)


def _raise_error(error: Callable[..., BaseException], *args: Any, **kwargs: Any) -> None:
    raise error(*args, **kwargs)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "pos_args": lambda *args: args,
    "namedtuple": lambda kind, *items: kind._make(items),
    "dict": dict,
    "list": lambda items: list(items),
    "int": int,
    "float": float,
    "str": str,
    "len": len,
    "sum": _sum,
    "min": min,
    "max": max,
    "range": range,
    "map": lambda function, *items: list(map(function, *items)),
    "getattr": getattr,
    "identity": lambda obj: obj,
    "kwswitch": _kwswitch,
    "repeat": _repeat,
    "call": _call,
    "call_method": _call_method,
    "call_method_pure": _call_method,
    "callpipe1": lambda steps, obj: functools.reduce(lambda x, step: step(x), steps, obj),
    "partial": functools.partial,
    "str_join": lambda separator, items: separator.join(items),
    "curtime": time.time,
    "Raise": _raise_error,
    "asarray": np.asarray,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
OPERATORS = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "getitem"),
    *("neg", "abs", "lt", "le", "gt", "ge", "eq"),
)
FUNCTIONS.update(
    {name: _plain(getattr(np, name)) for name in ("sqrt", "log", "exp", "sin", "cos", "tan")}
)
FUNCTIONS.update({name: getattr(operator, name) for name in OPERATORS})
