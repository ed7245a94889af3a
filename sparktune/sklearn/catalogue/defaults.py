"""The point of a component's space at which its parameters are scikit-learn's defaults."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sparktune.sklearn.catalogue.component import class_of
from sparktune.sklearn.catalogue.entries import entries
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.space.tables import space_of
from sparktune.trial import Scalar

_OTHERWISE = 0  # the option that is taken where the default is none of them


def default_point(name: str, label: str, given: Mapping[str, Any] = {}) -> dict[str, Scalar]:
    """{label: value}, as near to the defaults as the space allows.

    Args:
        name: of a component in the catalogue.
        label: what the labels of its parameters begin with, as for `component`.
        given: {parameter: value} in place of its default.
    """
    entry = entries()[name]
    signature = inspect.signature(class_of(entry)).parameters
    usual = {key: parameter.default for key, parameter in signature.items()} | dict(given)
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
        fits = [_is(each, usual[key], key) or _holds(each, usual[key]) for each in options]
        i = fits.index(True) if any(fits) else _OTHERWISE
        return {label: i} | _inside(options[i], label, key, usual)
    support = _support(table)
    value = usual[key]
    if support is None:
        return {label: value}
    low, high = support
    if not isinstance(value, (int, float)):  # it is left to the data, as by "auto"
        return {label: low}
    return {label: type(value)(min(max(value, low), high))}


def _support(table: Any) -> Any:
    """The smallest and the largest value of a parameter; None if it has none."""
    column = Space(space_of(table | {"label": "parameter"})).columns[0]
    return getattr(column.distribution, "support", None)


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
    """Whether an option is this value, or a table in which `key` has it."""
    if isinstance(option, dict):
        return key in option and _is(option[key], value, key)
    return value is None if option == "None" else type(option) is not list and option == value


def _holds(option: Any, value: Any) -> bool:
    """Whether an option is a range that contains this number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and isinstance(option, dict) and option.keys() & _RANGES):
        return False
    support = _support(option)
    return support is None or bool(support[0] <= value <= support[1])


_RANGES = {*hp.__all__} - {"choice", "pchoice"}
