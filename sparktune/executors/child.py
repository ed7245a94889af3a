"""What a process does that evaluates one trial after the other: it imports nothing that the
objective does not need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparktune import worker

_objective: list[Callable[[Any], Any]] = []


def load(objective: Callable[[Any], Any]) -> None:
    """Keep the objective of all trials to come."""
    _objective[:] = [objective]


def is_there() -> bool:
    """Return True: the process answers."""
    return True


def evaluate(config: Any) -> dict[str, Any]:
    """The report of an evaluation, without what may not pickle."""
    report = worker.evaluate(_objective[0], config)
    report.pop("exception", None)
    return report
