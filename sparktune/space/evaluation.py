"""Functions of expressions: the list of nodes, a copy, a value with randomly drawn parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.space.nodes import Apply, Literal, as_apply, evaluated, rec_eval

__all__ = ["clone", "dfs", "rec_eval", "sample"]


def sample(expr: Any, rng: np.random.Generator | None = None) -> Any:
    """The value of an expression with its parameters drawn from their priors.

    Args:
        expr: a search space, or any expression with distributions of `hp` or `scope`.
        rng: the random generator; None: a new one without a fixed seed.
    """
    return evaluated(as_apply(expr), {}, np.random.default_rng() if rng is None else rng)


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
    """A copy of an expression with new nodes, shared as in the original, and the same literals."""
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
