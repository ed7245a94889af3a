"""Conformance checks of executors: `for check in EXECUTOR_CHECKS: check(make)`.

`make(task)` returns a new executor of the task. A check raises AssertionError if it fails.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status, Trial

Make: TypeAlias = Callable[[Task], Executor]

_PATIENCE = 60.0  # seconds that a check waits for an outcome


def check_outcomes_are_those_of_a_direct_call(make: Make) -> None:
    """Status, loss, result and attachments equal those of a direct call of the objective."""

    def objective(kind: str) -> Any:
        return {
            "number": 1.5,
            "dict": {"loss": 2.0, "status": "ok", "extra": [1, {"deep": "x"}]},
            "attached": {"loss": 3.0, "status": "ok", "attachments": {"model": b"bytes"}},
            "failed": {"status": "fail", "why": "no data"},
            "nan": math.nan,
            "nonsense": "text",
        }[kind]

    kinds = ["number", "dict", "attached", "failed", "nan", "nonsense"]
    task = Task(objective, lambda trial: kinds[trial.id])
    found = _evaluate_all(make(task), len(kinds))
    for id, kind in enumerate(kinds):
        wanted = Outcome.of(id, task.evaluate(Trial(id, {})))
        for name in ("status", "result", "failure", "attachments"):
            ours, theirs = getattr(found[id], name), getattr(wanted, name)
            assert repr(ours) == repr(theirs), f"{kind}: {name} is {ours!r}, wanted {theirs!r}"


def check_exceptions_are_data(make: Make) -> None:
    """The failure of an objective that raises has the type and message of its exception, and a
    traceback that starts at the objective.
    """

    def objective(config: Any) -> float:
        raise LookupError("not there")

    outcome = _evaluate_all(make(Task(objective, lambda trial: None)), 1)[0]
    assert outcome.status is Status.ERROR, f"the status is {outcome.status}"
    assert outcome.failure is not None, "there is no failure"
    assert (outcome.failure.type, outcome.failure.message) == ("LookupError", "not there")
    lines = outcome.failure.traceback.splitlines()
    assert "in objective" in lines[1], f"the traceback starts elsewhere: {lines[1]}"


def check_an_argument_that_cannot_be_built_is_its_trials_error(make: Make) -> None:
    """If the argument of a trial cannot be built, that trial fails and the others continue."""

    def configure(trial: Trial) -> float:
        return 1 / trial.id

    found = _evaluate_all(make(Task(float, configure)), 3)
    assert found[0].status is Status.ERROR, f"the status is {found[0].status}"
    assert found[0].failure is not None, "there is no failure"
    assert found[0].failure.type == "ZeroDivisionError", f"it failed with {found[0].failure.type}"
    assert [found[id].loss for id in (1, 2)] == [1.0, 0.5]


def check_times_are_those_of_the_evaluation(make: Make) -> None:
    """`started` and `finished` are seconds since the epoch, within the call."""
    begun = time.time()
    outcome = _evaluate_all(make(Task(float, lambda trial: 0.0)), 1)[0]
    assert outcome.started is not None, "there is no start"
    assert outcome.finished is not None, "there is no end"
    assert begun <= outcome.started <= outcome.finished <= time.time()


def check_an_empty_executor_does_not_wait(make: Make) -> None:
    """Without any trial, `collect` returns an empty list at once."""
    executor = make(Task(float, lambda trial: 0.0))
    assert executor.collect(None) == []
    assert executor.slots >= 1
    assert executor.running == 0
    executor.close()


def check_what_is_inside_at_close_is_cancelled_or_done(make: Make) -> None:
    """`close` can be called twice. Afterwards every submitted trial has exactly one outcome."""
    executor = make(Task(float, lambda trial: 0.0))
    slots = min(executor.slots, 20)
    for id in range(slots):
        executor.submit(Trial(id, {}))
    executor.close()
    executor.close()
    outcomes = executor.collect(0)
    assert sorted(outcome.trial_id for outcome in outcomes) == list(range(slots))
    assert {outcome.status for outcome in outcomes} <= {Status.OK, Status.CANCELLED}


EXECUTOR_CHECKS: tuple[Callable[[Make], None], ...] = (
    check_outcomes_are_those_of_a_direct_call,
    check_exceptions_are_data,
    check_an_argument_that_cannot_be_built_is_its_trials_error,
    check_times_are_those_of_the_evaluation,
    check_an_empty_executor_does_not_wait,
    check_what_is_inside_at_close_is_cancelled_or_done,
)


def _evaluate_all(executor: Executor, n: int) -> dict[int, Outcome]:
    """The outcomes of trials 0 to n - 1, submitted without exceeding the slots."""
    outcomes: dict[int, Outcome] = {}
    submitted = 0
    while len(outcomes) < n:
        while submitted < n and submitted - len(outcomes) < executor.slots:
            executor.submit(Trial(submitted, {}))
            submitted += 1
        slots = executor.slots
        batch = executor.collect(_PATIENCE)
        assert batch or executor.slots > slots, f"no outcome within {_PATIENCE} seconds"
        outcomes |= {outcome.trial_id: outcome for outcome in batch}
    executor.close()
    return outcomes
