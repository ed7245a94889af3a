"""`rec_eval` and `toposort` with Hyperopt's arguments."""

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
    """Evaluate an expression. `memo` has the values of nodes that are not to be evaluated. All
    other arguments are ignored.
    """
    return evaluation.rec_eval(expr, memo)


def toposort(expr: Any) -> list[Apply]:
    """Return every node of an expression once, with arguments before the nodes that use them."""
    return evaluation.dfs(expr)
