"""A component as a node of a search space, which evaluates to an estimator that is not fitted."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.sklearn.catalogue.entries import Entry, entries
from sparktune.space import hp
from sparktune.space.expression import Apply, scope
from sparktune.space.tables import space_of

SEED = 0
"""`random_state` of estimators that have one: equal parameters give equal models."""


def node_of(
    name: str, label: str, given: Mapping[str, Any], choose: Callable[[str, str], Apply]
) -> Apply:
    """The node of a component.

    Args:
        name: its name in the catalogue.
        label: what the labels of its parameters begin with.
        given: {parameter: value or node} that replaces the search of this parameter; None, for a
            parameter that is searched otherwise, leaves it searched.
        choose: `(group, label)` gives the node of a model inside this one.

    Raises:
        InvalidArgument: the estimator has no such parameter, or the label is not a text.
        ImportError: the package of the estimator is not installed.
    """
    entry = entries()[name]
    if not isinstance(label, str) or not label:
        raise InvalidArgument(
            f"{name}: the first argument must be a text, with which the labels of its parameters "
            f"begin, got {label!r}"
        )
    known, takes_any = parameters_of(entry)
    searched = {*entry.space, *entry.inner}
    given = {key: value for key, value in given.items() if value is not None or key not in searched}
    if not takes_any:
        _check(entry, given, known)
    free = known - given.keys()
    chosen: dict[str, Any] = {
        key: choose(group, f"{label}.{key}") for key, group in entry.inner.items() if key in free
    }
    for key, table in entry.space.items():
        if key in free:
            chosen[key] = _value(table, f"{label}.{key}", key, free)
        elif key in given:
            chosen = _dependent(key, table, f"{label}.{key}", given[key], free) | chosen
    fixed = {"random_state": SEED} | dict(entry.given)
    chosen = {key: value for key, value in fixed.items() if key in free} | chosen
    return scope.apply(entry.node, **chosen, **given)


def _check(entry: Entry, given: Iterable[str], known: frozenset[str]) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(known))}"
            raise InvalidArgument(
                f"{entry.name}: {entry.estimator} has no parameter {key!r}; {hint}"
            )


def _dependent(
    key: str, table: Any, label: str, value: Any, free: frozenset[str]
) -> dict[str, Any]:
    """The parameters that depend on a parameter that is given: where it has a value, those that
    are searched with this value; where it is a node, all of them.
    """
    options = [*table.get("choice", ()), *(option for _, option in table.get("pchoice", ()))]
    groups = [option for option in options if isinstance(option, dict) and key in option]
    if not isinstance(value, Apply):
        groups = [group for group in groups if group[key] == value]
    return {
        name: _value(inside, f"{label}.{group[key]}.{name}", name, free)
        for group in reversed(groups)
        for name, inside in group.items()
        if name in free
    }


def _value(table: Any, label: str, key: str, free: frozenset[str]) -> Any:
    """What a table of a space describes, as the parameter `key`; `label` is its label."""
    if not isinstance(table, dict):
        return None if table == "None" else tuple(table) if isinstance(table, list) else table
    if "choice" in table:
        return hp.choice(label, [_option(each, label, key, free) for each in table["choice"]])
    if "pchoice" in table:
        pairs = [(p, _option(each, label, key, free)) for p, each in table["pchoice"]]
        return hp.pchoice(label, pairs)
    function, arguments = next(iter(table.items()))
    node = space_of({function: arguments, "label": label})
    return scope.int(node) if function.startswith("q") and arguments[-1] == 1 else node


def _option(option: Any, label: str, key: str, free: frozenset[str]) -> Any:
    if not (isinstance(option, dict) and key in option):
        return _value(option, f"{label}.value", key, free)
    return {
        name: _value(inside, f"{label}.{option[key]}.{name}", name, free)
        for name, inside in option.items()
        if name in free
    }


def class_of(entry: Entry) -> Any:
    """The class of a component.

    Raises:
        ImportError: its package is not installed.
    """
    module, _, name = entry.estimator.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        raise ImportError(
            f"{entry.name} needs {package}: pip install 'sparktune[boosting]'"
        ) from error
    except AttributeError as error:
        raise ImportError(
            f"{entry.name}: the installed version of {module} has no {name}"
        ) from error


@cache
def parameters_of(entry: Entry) -> tuple[frozenset[str], bool]:
    """The parameters that the installed version of the estimator has, and whether it takes others,
    too.
    """
    estimator = class_of(entry)
    parameters = inspect.signature(estimator).parameters.values()
    names = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters)
    if takes_any:  # as those of XGBoost, which know their names themselves
        names |= {*estimator().get_params(), *entry.given}
    return frozenset(names), takes_any


def is_installed(name: str) -> bool:
    """Whether the package of a component can be imported."""
    try:
        class_of(entries()[name])
    except ImportError:
        return False
    return True


def _making(entry: Entry) -> Callable[..., Any]:
    def make(*args: Any, **parameters: Any) -> Any:
        return class_of(entry)(*args, **_flat(parameters))

    make.__name__ = entry.node
    return make


def _flat(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in one dict, including those that belong to the chosen option of another
    parameter.
    """
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        group = isinstance(value, dict) and name in value
        flat.update(value if group else {name: value})
    return flat


for _entry in entries().values():
    scope.define_if_new(_making(_entry))
