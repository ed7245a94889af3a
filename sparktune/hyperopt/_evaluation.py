"""Evaluation with the arguments of Hyperopt's functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparktune.space import evaluation
from sparktune.space.expression import Apply


def rec_eval(
    expr: Any,
    deepcopy_inputs: bool = False,
    memo: Mapping[Apply, Any] | None = None,
    max_program_len: int | None = None,
    memo_gc: bool = True,
    print_trace: bool = False,
    print_node_on_error: bool = True,
) -> Any:
    """The value of an expression; `memo` gives the values of some of its nodes beforehand. The
    other arguments are accepted and change nothing.
    """
    return evaluation.rec_eval(expr, memo)


def toposort(expr: Any) -> list[Apply]:
    """Every node of an expression once, arguments before the nodes that use them."""
    return evaluation.dfs(expr)
