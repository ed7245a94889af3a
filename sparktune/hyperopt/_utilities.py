"""Small functions that programs take from `hyperopt.utils` and `hyperopt.base`."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sparktune.arguments import numeric, positive
from sparktune.space.evaluation import dfs
from sparktune.space.expression import Apply, Literal


def coarse_utcnow() -> datetime:
    """The present time as naive UTC, in whole milliseconds, as documents hold it."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def use_obj_for_literal_in_memo(
    expr: Any, obj: Any, lit: Any, memo: dict[Apply, Any]
) -> dict[Apply, Any]:
    """Let `obj` stand for every literal in `expr` whose object is `lit`: written into `memo`, which
    is returned.
    """
    found = [node for node in dfs(expr) if isinstance(node, Literal) and node.obj is lit]
    memo.update(dict.fromkeys(found, obj))
    return memo


def validate_timeout(timeout: Any) -> None:
    """Refuse what is neither None nor a number > 0.

    Raises:
        InvalidArgument: it is refused.
    """
    positive("timeout", timeout)


def validate_loss_threshold(loss_threshold: Any) -> None:
    """Refuse what is neither None nor a number.

    Raises:
        InvalidArgument: it is refused.
    """
    numeric("loss_threshold", loss_threshold)
