"""Tables of TOML: read from a file, made of `--set key=value`, merged."""

from __future__ import annotations

import sys
from typing import Any

from sparktune.errors import InvalidArgument

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SHORT = {
    "algorithm": "name",
    "scheduler": "name",
    "executor": "kind",
    "tracking": "kind",
}  # a text stands for a table with this key
_LARGEST = 2**24  # bytes of a study file
_DEEPEST = 50  # tables and lists in each other


def read_tables(path: str) -> dict[str, Any]:
    """What a study file says.

    Raises:
        InvalidArgument: it cannot be read, or is not valid TOML.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise InvalidArgument(f"{path} is larger than any study file")
        return _toml(text.decode())
    except OSError as error:
        raise InvalidArgument(f"cannot read {path}: {error.strerror}") from error
    except InvalidArgument:
        raise
    except ValueError as error:
        raise InvalidArgument(f"{path} is not valid TOML: {error}") from error


def _toml(text: str) -> dict[str, Any]:
    """What TOML says.

    Raises:
        ValueError: it is not valid TOML, or is nested deeper than any study.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    level: list[Any] = [table]
    for _ in range(_DEEPEST):
        inside = [each.values() if isinstance(each, dict) else each for each in level]
        level = [item for each in inside for item in each if isinstance(item, (dict, list))]
    if level:
        raise ValueError("it is nested too deep")
    return table


def written_out(table: dict[str, Any]) -> dict[str, Any]:
    """The same, with texts that stand for tables replaced by these tables."""
    for key, name in _SHORT.items():
        if isinstance(table.get(key), str):
            table[key] = {name: table[key]}
    return table


def change_of(change: str) -> dict[str, Any]:
    """`a.b=1` as {"a": {"b": 1}}; a value that is not TOML is a text."""
    key, equals, value = change.partition("=")
    if not equals or not key.strip():
        raise InvalidArgument(f"--set needs key=value, got {change!r:.200}")
    table = _parsed(f"{key} = 0") if "\n" not in key else None
    place: Any = table
    while isinstance(place, dict) and len(place) == 1:
        last, (name, place) = place, next(iter(place.items()))
    if table is None or place != 0:
        raise InvalidArgument(
            f"--set: {key!r:.200} is not a key; write it as in budget.max_evals=50"
        )
    given = _parsed(f"value = {value}") or {}
    last[name] = given["value"] if given.keys() == {"value"} else value
    return table


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return _toml(text)
    except ValueError:
        return None


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`old` with the keys of `new`. Tables are merged, except that a new kind of executor or name
    of an algorithm replaces the old one's options.
    """
    tables = dict(old)
    for key, value in new.items():
        before = old.get(key)
        replaced = _SHORT.get(key) in value if isinstance(value, dict) else True
        if isinstance(before, dict) and not replaced:
            tables[key] = merged(before, value)
        else:
            tables[key] = value
    return tables
