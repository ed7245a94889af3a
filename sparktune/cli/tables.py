"""Tables of TOML: reading from a file or from `--set key=value`, and merging."""

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
}  # keys whose value may be a text, which stands for a table with this one key
_LARGEST = 2**24  # bytes of a study file
_DEEPEST = 50  # most levels of nested tables and lists


def read_tables(path: str) -> dict[str, Any]:
    """The content of a study file.

    Raises:
        InvalidArgument: the file cannot be read, is larger than 16 MiB, or is not valid TOML.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise InvalidArgument(f"{path} is too large for a study file: over {_LARGEST} bytes")
        return _toml(text.decode())
    except OSError as error:
        raise InvalidArgument(f"cannot read {path}: {error.strerror}") from error
    except InvalidArgument:
        raise
    except ValueError as error:
        raise InvalidArgument(f"{path} is not valid TOML: {error}") from error


def _toml(text: str) -> dict[str, Any]:
    """The table that a text in TOML defines.

    Raises:
        ValueError: the text is not valid TOML, or is nested too deeply.
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
    """`table` with each text that stands for a table replaced by that table."""
    for key, name in _SHORT.items():
        if isinstance(table.get(key), str):
            table[key] = {name: table[key]}
    return table


def change_of(change: str) -> dict[str, Any]:
    """{"a": {"b": 1}} from `a.b=1`; a value that is not valid TOML is a text.

    Raises:
        InvalidArgument: `change` is not key=value, or has an invalid key.
    """
    key, equals, value = change.partition("=")
    if not equals or not key.strip():
        raise InvalidArgument(f"--set needs key=value, got {change!r:.200}")
    table = _toml_or_none(f"{key} = 0") if "\n" not in key else None
    place: Any = table
    while isinstance(place, dict) and len(place) == 1:
        last, (name, place) = place, next(iter(place.items()))
    if table is None or place != 0:
        raise InvalidArgument(
            f"--set: {key!r:.200} is not a valid key; write it as in budget.max_evals=50"
        )
    given = _toml_or_none(f"value = {value}") or {}
    last[name] = given["value"] if given.keys() == {"value"} else value
    return table


def _toml_or_none(text: str) -> dict[str, Any] | None:
    try:
        return _toml(text)
    except ValueError:
        return None


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`old` updated with the keys of `new`. Nested tables are merged too; but a new kind of
    executor, or a new name of an algorithm, discards the options of the old one.
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
