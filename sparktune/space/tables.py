"""A search space from plain tables, such as those of TOML.

A table with one key that is the name of a function of `hp` is a parameter. The value of the key is
its arguments, in order or by name. Its label is its path in the tables, joined with dots, or the
value of a second key `label`. A number may be written as "log(0.001)". Other values are constants.

    max_depth = {uniformint = [2, 16]}
    rate = {loguniform = ["log(0.001)", "log(1)"]}
    kernel = {choice = ["linear", {name = "rbf", gamma = {uniform = {low = 0, high = 1}}}]}
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

from sparktune.errors import BadSearchSpace, InvalidArgument
from sparktune.space import hp


def space_of(tables: Any, path: str = "") -> Any:
    """The search space that nested tables and lists define. `path` is their position in the whole.

    Raises:
        InvalidArgument: the arguments of a parameter are invalid.
    """
    if isinstance(tables, list):
        return [space_of(item, _below(path, str(i))) for i, item in enumerate(tables)]
    if not isinstance(tables, Mapping):
        return tables
    functions = [key for key in tables if key in hp.__all__]
    if len(functions) == 1 and tables.keys() <= {functions[0], "label"}:
        return _parameter(functions[0], tables[functions[0]], tables.get("label", path), path)
    _refuse_misspelt(tables, path)
    return {key: space_of(value, _below(path, key)) for key, value in tables.items()}


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _parameter(function: str, given: Any, label: Any, path: str) -> Any:
    if not label or not isinstance(label, str):
        raise InvalidArgument(
            f'space: {function} needs a name: put it under a key, or add label = "..."'
        )
    make: Callable[..., Any] = getattr(hp, function)
    try:
        if function in ("choice", "pchoice"):
            return make(label, _options(function, given, path))
        if isinstance(given, Mapping):
            return make(label, **{key: _number(value) for key, value in given.items()})
        return make(label, *map(_number, given if isinstance(given, list) else [given]))
    except (BadSearchSpace, InvalidArgument):
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgument(
            f"space.{path}: hp.{function} does not take {given!r:.200}: {error}"
        ) from error


def _options(function: str, given: Any, path: str) -> list[Any]:
    if not isinstance(given, list):
        raise InvalidArgument(f"space.{path}: {function} must be a list, got {given!r:.200}")
    if function == "choice":
        return [space_of(option, path) for option in given]
    pairs = [pair for pair in given if isinstance(pair, list) and len(pair) == 2]
    if len(pairs) < len(given):
        raise InvalidArgument(
            f"space.{path}: pchoice must be a list of [probability, option], got {given!r:.200}"
        )
    return [(p, space_of(option, path)) for p, option in pairs]


def _number(value: Any) -> Any:
    """`value` as a number if it is a text "log(...)"; other values are returned unchanged."""
    text = value.strip() if isinstance(value, str) else ""
    if not (text.startswith("log(") and text.endswith(")")):
        return value
    try:
        return math.log(float(text[4:-1]))
    except ValueError as error:
        raise InvalidArgument(f"space: {value!r:.200} is not a number") from error


def _refuse_misspelt(tables: Mapping[str, Any], path: str) -> None:
    """Raise InvalidArgument for tables that are probably meant as parameters, such as `{unifrom =
    [0, 1]}` and `{uniform = [0, 1], q = 1}`. They would be constants.
    """
    if arguments := [key for key in tables if key in hp.__all__ and isinstance(tables[key], list)]:
        raise InvalidArgument(
            f"space.{path}: the only key allowed beside {arguments[0]!r} is 'label', got "
            f"{', '.join(map(repr, tables)):.200}"
        )
    key = next(iter(tables), "")
    close = difflib.get_close_matches(key, hp.__all__, 1, 0.75)
    if close and len(tables) == 1 and isinstance(tables[key], list):
        raise InvalidArgument(
            f"space.{path}: unknown parameter type {key!r}; did you mean {close[0]!r}? Valid types "
            f"are {', '.join(hp.__all__)}"
        )
