"""The point of a component's space at which its parameters are scikit-learn's defaults."""

from __future__ import annotations

import inspect
from typing import Any

from sparktune.sklearn.catalogue.component import class_of
from sparktune.sklearn.catalogue.entries import entries
from sparktune.space.space import Space
from sparktune.space.tables import space_of
from sparktune.trial import Scalar

_OTHERWISE = 0  # the option that is taken where the default is none of them


def default_point(name: str, label: str) -> dict[str, Scalar]:
    """{label: value}, as near to the defaults as the space allows.

    Args:
        name: of a component in the catalogue.
        label: what the labels of its parameters begin with, as for `component`.
    """
    entry = entries()[name]
    signature = inspect.signature(class_of(entry)).parameters
    usual = {key: parameter.default for key, parameter in signature.items()}
    point: dict[str, Scalar] = {}
    for key, table in entry.space.items():
        if key in usual:
            point |= _point(table, f"{label}.{key}", key, usual)
    return point


def _point(table: Any, label: str, key: str, usual: dict[str, Any]) -> dict[str, Scalar]:
    """The part of the point that is in a table, which describes the parameter `key`."""
    if not isinstance(table, dict):
        return {}
    if "choice" in table or "pchoice" in table:
        options = table.get("choice") or [option for _, option in table["pchoice"]]
        i = next((i for i, each in enumerate(options) if _is(each, usual[key], key)), _OTHERWISE)
        return {label: i} | _inside(options[i], label, key, usual)
    node = Space(space_of(table | {"label": label}))
    support = getattr(node.columns[0].distribution, "support", None)
    value = usual[key]
    if support is None:
        return {label: value}
    low, high = support
    if not isinstance(value, (int, float)):  # it is left to the data, as by "auto"
        return {label: low}
    return {label: type(value)(min(max(value, low), high))}


def _inside(option: Any, label: str, key: str, usual: dict[str, Any]) -> dict[str, Scalar]:
    """The part of the point that is in an option."""
    if not (isinstance(option, dict) and key in option):
        return _point(option, f"{label}.value", key, usual)
    point: dict[str, Scalar] = {}
    for name, table in option.items():
        if name in usual:
            point |= _point(table, f"{label}.{option[key]}.{name}", name, usual)
    return point


def _is(option: Any, value: Any, key: str) -> bool:
    """Whether an option is, or begins with, this value."""
    if isinstance(option, dict):
        return key in option and _is(option[key], value, key)
    return value is None if option == "None" else type(option) is not list and option == value
