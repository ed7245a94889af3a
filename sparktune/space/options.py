"""Readable names of the options of a choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktune.space.expression import PARAMETER, Apply, Literal

_LONGEST = 60  # most characters of a name


def option_names(options: Sequence[Apply]) -> list[Any]:
    """The names of options. A plain value is its own name. The name of a dict is its first text, if
    no other option has that name. Other options have their text as the name, with their index if
    the text is not unique.
    """
    short = [_value(each) if _is_plain(each) else _first_text(each) for each in options]
    written = [_shortened(_text(each)) for each in options]
    names: list[Any] = []
    for i, each in enumerate(options):
        if _is_plain(each) or (short[i] and short.count(short[i]) == 1):
            names.append(short[i])
        else:
            names.append(written[i] if written.count(written[i]) == 1 else f"{written[i]} ({i})")
    return names


def _is_plain(option: Apply) -> bool:
    return type(_value(option)) in (str, bool, int, float, type(None))


def _value(option: Apply) -> Any:
    """The plain value of an option, a numpy scalar as a Python scalar; else the node itself."""
    value = getattr(option, "obj", option)
    return (
        value.item() if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 else value
    )


def _first_text(option: Apply) -> str | None:
    """The first text among the values of an option that is a dict."""
    if option.name != "dict" or len(option.pos_args) != 1:
        return None
    pairs = [item.pos_args for item in option.pos_args[0].pos_args]
    held = [getattr(pair[1], "obj", None) for pair in pairs if len(pair) == 2]
    return next((_shortened(value) for value in held if isinstance(value, str)), None)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _repr_of(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # raised by the value's own code
        return f"<{type(value).__name__}>"


def _text(node: Apply) -> str:
    if isinstance(node, Literal):
        name = getattr(node.obj, "__name__", None)
        return name if isinstance(name, str) else _repr_of(node.obj)
    if node.name == PARAMETER:
        return str(getattr(node.pos_args[0], "obj", "..."))
    if node.name in ("int", "float", "switch"):
        return _text(node.pos_args[0])
    if node.name == "pos_args":
        return f"({', '.join(map(_text, node.pos_args))}{',' * (len(node.pos_args) == 1)})"
    if node.name == "dict" and len(node.pos_args) == 1 and not node.named_args:
        pairs = [item.pos_args for item in node.pos_args[0].pos_args]
        if all(len(pair) == 2 for pair in pairs):
            return f"{{{', '.join(f'{_text(key)}: {_text(value)}' for key, value in pairs)}}}"
    return f"{node.name}(...)"
