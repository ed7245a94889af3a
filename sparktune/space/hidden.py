"""Detection of parameters that are hidden in objects of a space, where no value replaces them."""

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

_MOST = 100_000  # largest number of objects to inspect in one literal
_ATOMS = (str, bytes, bytearray, int, float, complex, bool, type(None), types.ModuleType)
_Steps = Iterable[tuple[str, Any]]


def refuse_hidden(literal: Any, path: str) -> None:
    """Raise an error if a plain value of a space contains a parameter.

    Args:
        literal: the value; not a dict, list or tuple of the space itself.
        path: its position in the space, for the message.

    Raises:
        BadSearchSpace: an item or an attribute of the value is a parameter, at any depth.
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
    """(step, object) of all objects that a value contains; the steps form the path in a message."""
    package = type(value).__module__.partition(".")[0]
    if package in ("pyspark", "py4j"):  # their objects change all the time
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
        with contextlib.suppress(ValueError):  # a variable without a value
            if isinstance(cell.cell_contents, Apply):  # no deeper, because there may be much data
                yield f" -> its variable {name}", cell.cell_contents


@_steps.register(types.MethodType)
def _(value: Any) -> _Steps:
    return [("", value.__self__), ("", value.__func__)]


@_steps.register(functools.partial)
def _(value: Any) -> _Steps:
    return [("", value.func), (" -> arguments", value.args), ("", value.keywords)]


def _cells(value: Any) -> _Steps:
    """The contents of a pandas object: columns, index, and cells that are Python objects."""
    if hasattr(value, "columns"):
        named = [(f"[{name!r}]", value.iloc[:, i]) for i, name in enumerate(value.columns)]
        return [*named, ("", value.columns), ("", value.index)]
    objects = getattr(getattr(value, "dtype", None), "kind", "") == "O"
    cells = [("", value.to_numpy())] if objects else []
    return [*cells, ("", getattr(value, "index", None))]


def _attributes(value: Any) -> _Steps:
    """The attributes of an object or of a class, including those of the object's class. Computed
    attributes, such as properties, are left out.
    """
    for name, attribute in _own(value).items():
        if not (name.startswith("__") and name.endswith("__")):
            yield f".{name}", attribute
    for kind in () if isinstance(value, type) else type(value).__mro__:
        for name, attribute in vars(kind).items():
            if isinstance(attribute, types.MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # an empty slot
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
        f"{path} holds {_name_of(node)} inside an object ({kind}), where no value can replace it. "
        "Parameters can be in dicts, lists, tuples and namedtuples: put it there, and create the "
        f"{kind} from its value in the objective, or with a function of @scope.define"
    )


def _name_of(node: Apply) -> str:
    left = [node]
    while left:
        each = left.pop()
        if each.name == PARAMETER:
            return f"the parameter {getattr(each.pos_args[0], 'obj', each.pos_args[0])!r}"
        left += reversed(each.inputs())
    return f"the expression {node!r:.80}"
