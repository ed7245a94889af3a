"""Evaluation of expressions: with given values for the parameters, or with drawn ones."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from sparktune.space.draws import DRAWS
from sparktune.space.expression import PARAMETER, Apply, Literal, as_apply, scope


def rec_eval(expr: Any, memo: Mapping[Apply, Any] | None = None) -> Any:
    """Evaluate an expression; `memo` gives the values of some of its nodes beforehand.

    Each node is evaluated once; of a `switch`, only the chosen branch is.

    Raises:
        KeyError: a parameter that is needed has no value.
    """
    return _evaluated(as_apply(expr), dict(memo or {}), None)


def sample(expr: Any, rng: np.random.Generator | None = None) -> Any:
    """The value of an expression with its parameters drawn from their priors.

    Args:
        expr: a search space, or any expression with distributions of `hp` or `scope`.
        rng: random numbers; None: unseeded ones.
    """
    return _evaluated(as_apply(expr), {}, np.random.default_rng() if rng is None else rng)


def dfs(expr: Any) -> list[Apply]:
    """Every node of an expression once, arguments before the nodes that use them."""
    order: dict[Apply, None] = {}
    stack: list[tuple[Apply, bool]] = [(as_apply(expr), False)]
    while stack:
        node, arguments_done = stack.pop()
        if arguments_done:
            order[node] = None
        elif node not in order:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.inputs()))
    return list(order)


def clone(expr: Any) -> Apply:
    """A copy of an expression: new nodes, the same literals' objects, sharing kept."""
    copies: dict[Apply, Apply] = {}
    root = as_apply(expr)
    for node in dfs(root):
        if isinstance(node, Literal):
            copies[node] = Literal(node.obj)
            continue
        named = [(key, copies[child]) for key, child in node.named_args]
        positional = [copies[child] for child in node.pos_args]
        copies[node] = Apply(node.name, positional, named, node.o_len, node.place)
    return copies[root]


def _evaluated(root: Apply, values: dict[Apply, Any], rng: np.random.Generator | None) -> Any:
    """The value of `root`; `values` holds what is known and takes what is computed. With `rng`,
    parameters without a value are drawn. Iterative, so that depth is not limited by the stack.
    """
    stack = [root]
    while stack:
        node = stack[-1]
        if node in values:
            stack.pop()
            continue
        missing = [arg for arg in _needed(node, values, rng) if arg not in values]
        if missing:
            stack.extend(missing)  # so that the last is drawn first, as Hyperopt does
        else:
            values[node] = _call(node, values, rng)
            stack.pop()
    return values[root]


def _needed(
    node: Apply, values: Mapping[Apply, Any], rng: np.random.Generator | None
) -> list[Apply]:
    """The argument nodes to evaluate next; for a switch first its index, then the branch it
    selects. A parameter has its value beforehand, unless it is drawn.
    """
    if node.name == PARAMETER and rng is None:
        return []
    if node.name != "switch":
        return node.inputs()
    index = node.pos_args[0]
    return [index, _branch(node, values[index])] if index in values else [index]


def _branch(node: Apply, index: Any) -> Apply:
    options = node.pos_args[1:]
    try:
        position = operator.index(index)
    except TypeError:
        raise TypeError("switch argument was", index) from None
    if position < 0:
        raise ValueError(f"the index of a choice must not be negative, got {position}")
    if position >= len(options):
        raise IndexError(f"the index of a choice with {len(options)} options is {position}")
    return options[position]


def _call(node: Apply, values: Mapping[Apply, Any], rng: np.random.Generator | None) -> Any:
    if isinstance(node, Literal):
        return node.obj
    if node.name == "switch":
        return values[_branch(node, values[node.pos_args[0]])]
    if node.name == PARAMETER and rng is None:
        label = node.pos_args[0]
        raise KeyError(f"no value given for the parameter {getattr(label, 'obj', label)!r}")
    args = [values[arg] for arg in node.pos_args]
    kwargs = {key: values[arg] for key, arg in node.named_args}
    if rng is not None and node.name in DRAWS:
        kwargs.setdefault("rng", rng)
    return scope.implementation(node.name)(*args, **kwargs)
