"""The same function on several numbers, side by side on a platform."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from sparktune.errors import from_failure
from sparktune.executors.platforms import Platform
from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status, Trial


def side_by_side(
    on: Platform, function: Callable[[int], Any], numbers: Sequence[int], name: str
) -> list[Any]:
    """The function's values for the numbers, in their order.

    Raises:
        TrialFailed: it raised; the message holds the traceback. In this process, its exception.
    """

    def called(number: int) -> dict[str, Any]:
        return {"status": "ok", "loss": 0.0, "value": function(number)}

    task = Task(called, lambda trial: trial.values["number"], name)
    waiting = [Trial(i, {"number": number}) for i, number in enumerate(numbers)]
    told: dict[int, Outcome] = {}
    inside = 0
    with contextlib.closing(on.open(task)) as executor:
        while len(told) < len(numbers):
            while waiting and inside < executor.slots:
                executor.submit(waiting.pop(0))
                inside += 1
            for outcome in executor.collect(None):
                inside -= 1
                told[outcome.trial_id] = outcome
    return [_value_of(told[i]) for i in range(len(numbers))]


def _value_of(outcome: Outcome) -> Any:
    """The return value of a call; raises its exception."""
    if outcome.status is Status.OK and outcome.result is not None:
        return outcome.result["value"]
    if outcome.exception is not None:
        raise outcome.exception
    failure = outcome.failure
    raise from_failure(
        failure.type if failure else outcome.status.value, str(failure or outcome.status.value)
    )
