"""What the values of records stand for: options of choices, and numbers of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparktune.space.distributions import Categorical
from sparktune.space.evaluation import dfs, rec_eval
from sparktune.space.expression import PARAMETER, Apply, Literal
from sparktune.space.space import Space

_LONGEST = 60  # characters of an option's text


def evaluated(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """{label: value} as the objective receives it: a choice as its option, evaluated, a number
    converted as the space says (`scope.int(hp.quniform(...))` gives an int).
    """
    memo, uses = space.memo(values), _uses(space)
    return {
        column.label: rec_eval(uses[node], memo)
        for node, column in space.parameters.items()
        if column.label in values
    }


def options(space: Space) -> dict[str, list[Any]]:
    """{label: its options} of the choices: plain values themselves, others as a short text."""
    return {
        column.label: [_shown(option) for option in node.pos_args[1:]]
        for column, node in zip(space.columns, _uses(space).values(), strict=True)
        if isinstance(column.distribution, Categorical) and node.name == "switch"
    }


def _uses(space: Space) -> dict[Apply, Apply]:
    """By parameter: the node that gives the value that is used, which is the parameter's own
    unless it is converted, or selects, in one place only.
    """
    users: dict[Apply, list[Apply]] = {}
    for node in dfs(space.expression):
        for argument in node.inputs():
            users.setdefault(argument, []).append(node)
    used = {}
    for parameter in space.parameters:
        node = parameter
        while len(found := users.get(node, [])) == 1 and found[0].name in ("int", "float"):
            node = found[0]
        selects = len(found) == 1 and found[0].name == "switch" and found[0].pos_args[0] is node
        used[parameter] = found[0] if selects else node
    return used


def _shown(node: Apply) -> Any:
    """An option as a plain value, or as a text for people."""
    value = getattr(node, "obj", node)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # a number of numpy
    if type(value) in (str, bool, int, float, type(None)):
        return value
    text = _text(node)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _text(node: Apply) -> str:
    if isinstance(node, Literal):
        name = getattr(node.obj, "__name__", None)
        return name if isinstance(name, str) else repr(node.obj)
    if node.name == PARAMETER:
        return str(getattr(node.pos_args[0], "obj", "..."))
    if node.name in ("int", "float", "switch"):
        return _text(node.pos_args[0])
    if node.name == "pos_args":
        return f"({', '.join(map(_text, node.pos_args))})"
    if node.name == "dict" and len(node.pos_args) == 1 and not node.named_args:
        pairs = [item.pos_args for item in node.pos_args[0].pos_args]
        if all(len(pair) == 2 for pair in pairs):
            return f"{{{', '.join(f'{_text(key)}: {_text(value)}' for key, value in pairs)}}}"
    return f"{node.name}(...)"
