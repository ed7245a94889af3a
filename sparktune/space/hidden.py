"""Parameters that a space hides inside objects, where values would not replace them."""

from __future__ import annotations

import contextlib
import functools
import types
from collections import deque
from collections.abc import Iterable, Mapping, Set, ValuesView
from typing import Any

import numpy as np

from sparktune.errors import BadSearchSpace
from sparktune.space.expression import PARAMETER, Apply

_MOST = 100_000  # objects that are looked at in one literal
_ATOMS = (str, bytes, bytearray, int, float, complex, bool, type(None), types.ModuleType)
_Steps = Iterable[tuple[str, Any]]


def refuse_hidden(literal: Any, path: str) -> None:
    """Refuse a plain value of a space that holds a parameter.

    Args:
        literal: the value: anything but a dict, a list or a tuple, which are looked into elsewhere.
        path: where it stands in the space.

    Raises:
        BadSearchSpace: it does, in an item, in an attribute, or deeper.
    """
    seen: set[int] = set()
    found = deque([(path, literal)])
    while found and len(seen) < _MOST:
        path_here, value = found.popleft()
        if isinstance(value, Apply):
            raise BadSearchSpace(_refusal(path_here, value, literal))
        if isinstance(value, _ATOMS) or id(value) in seen:
            continue
        seen.add(id(value))
        found.extend((path_here + step, child) for step, child in _steps(value))


@functools.singledispatch
def _steps(value: Any) -> _Steps:
    """What a value holds, each with the step that leads there."""
    package = type(value).__module__.partition(".")[0]
    if package in ("pyspark", "py4j"):  # which lead to what changes all the time
        return []
    return _cells(value) if package == "pandas" else _attributes(value)


@_steps.register(list)
@_steps.register(tuple)
@_steps.register(deque)
@_steps.register(ValuesView)
def _(value: Any) -> _Steps:
    return [(f"[{i}]", item) for i, item in enumerate(list(value))]


@_steps.register(Set)
def _(value: Any) -> _Steps:
    return ((" -> an element", item) for item in value)


@_steps.register(Mapping)
def _(value: Any) -> _Steps:
    for key, item in list(value.items()):
        yield " -> a key", key
        yield f"[{key!r}]" if isinstance(key, _ATOMS) else " -> a value", item


@_steps.register(np.ndarray)
def _(value: Any) -> _Steps:
    if value.dtype.names:
        return [(f"[{name!r}]", value[name]) for name in value.dtype.names]
    if value.dtype != object:
        return []
    return ((f"[{', '.join(map(str, index))}]", item) for index, item in np.ndenumerate(value))


@_steps.register(types.FunctionType)
def _(value: Any) -> _Steps:
    yield " -> defaults", value.__defaults__ or ()
    yield " -> defaults", value.__kwdefaults__ or {}
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            if isinstance(cell.cell_contents, Apply):  # deeper, there may be much data
                yield f" -> its variable {name}", cell.cell_contents


@_steps.register(types.MethodType)
def _(value: Any) -> _Steps:
    return [("", value.__self__), ("", value.__func__)]


@_steps.register(functools.partial)
def _(value: Any) -> _Steps:
    return [("", value.func), (" -> arguments", value.args), ("", value.keywords)]


def _cells(value: Any) -> _Steps:
    """What a table holds: its columns, and their cells, where these are objects of Python."""
    if hasattr(value, "columns"):
        named = [(f"[{name!r}]", value.iloc[:, i]) for i, name in enumerate(value.columns)]
        return [*named, ("", value.columns), ("", value.index)]
    objects = getattr(getattr(value, "dtype", None), "kind", "") == "O"
    cells = [("", value.to_numpy())] if objects else []
    return [*cells, ("", getattr(value, "index", None))]


def _attributes(value: Any) -> _Steps:
    """The attributes of an object, those of its class included, or of a class. None is computed, as
    properties are.
    """
    for name, attribute in _own(value).items():
        if not (name.startswith("__") and name.endswith("__")):
            yield f".{name}", attribute
    for kind in () if isinstance(value, type) else type(value).__mro__:
        for name, attribute in vars(kind).items():
            if isinstance(attribute, types.MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # a slot that holds nothing
                    yield f".{name}", attribute.__get__(value)
            elif isinstance(attribute, Apply):
                yield f".{name}", attribute


def _own(value: Any) -> dict[str, Any]:
    try:
        return dict(object.__getattribute__(value, "__dict__"))
    except (AttributeError, TypeError):
        return {}


def _refusal(path: str, node: Apply, literal: Any) -> str:
    kind = type(literal).__name__
    return (
        f"{path} holds {_name_of(node)} inside an object ({kind}), where it would reach the "
        "objective as it is, without a value. Parameters may stand in dicts, lists, tuples and "
        f"namedtuples: put it there, and make the {kind} of its value in the objective, or with a "
        "function of @scope.define"
    )


def _name_of(node: Apply) -> str:
    left = [node]
    while left:
        each = left.pop()
        if each.name == PARAMETER:
            return f"the parameter {getattr(each.pos_args[0], 'obj', each.pos_args[0])!r}"
        left += reversed(each.inputs())
    return f"the expression {node!r:.80}"
