"""Small functions of `hyperopt.utils` and `hyperopt.base`."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sparktune.arguments import numeric, positive
from sparktune.space.evaluation import dfs
from sparktune.space.expression import Apply, Literal


def coarse_utcnow() -> datetime:
    """Return the current time as naive UTC, in whole milliseconds, as in documents."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def use_obj_for_literal_in_memo(
    expr: Any, obj: Any, lit: Any, memo: dict[Apply, Any]
) -> dict[Apply, Any]:
    """Set the value `obj` in `memo` for every literal in `expr` whose object is `lit`; returns
    memo.
    """
    literals = [node for node in dfs(expr) if isinstance(node, Literal) and node.obj is lit]
    memo.update(dict.fromkeys(literals, obj))
    return memo


def validate_timeout(timeout: Any) -> None:
    """Check that a timeout is None or a number of seconds > 0.

    Raises:
        InvalidArgument: it is neither None nor a number > 0.
    """
    positive("timeout", timeout)


def validate_loss_threshold(loss_threshold: Any) -> None:
    """Check that a loss threshold is None or a number.

    Raises:
        InvalidArgument: it is neither None nor a number.
    """
    numeric("loss_threshold", loss_threshold)
