"""Objectives that get a budget: how they are called, and which ones are refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sparktune import worker
from sparktune.budgets.states import States
from sparktune.errors import InvalidArgument
from sparktune.executors._budget import with_budget
from sparktune.executors.task import Task
from sparktune.schedulers import Scheduler, ladder
from sparktune.trial import Trial


def with_budgets(task: Task, scheduler: Scheduler, states: States) -> Task:
    """The task whose objective also gets the scheduler's budget, an integer if all budgets are.
    An objective with an argument `state` gets what the configuration's previous evaluation
    returned. If the scheduler has no budgets, the task is returned as it is.

    Raises:
        InvalidArgument: the objective takes no budget, or it needs one and there is none.
    """
    rungs = ladder(scheduler)
    if not rungs:
        if _needs_budget(task.objective):
            raise InvalidArgument(
                f"the objective {task.name} needs a budget, and only a scheduler gives budgets; "
                "set scheduler=, as in scheduler=ASHA(min_budget=1, max_budget=27)"
            )
        return task
    shown = ", ".join(f"{rung:g}" for rung in rungs)
    if not takes(task.objective, "budget"):
        raise InvalidArgument(
            f"the scheduler gives the budgets {shown}, but the objective {task.name} has no "
            "argument budget; write def objective(config, budget), or leave out scheduler="
        )
    whole = all(float(rung).is_integer() for rung in rungs)
    with_state = takes(task.objective, "state")

    def configure(trial: Trial) -> tuple[Any, float, bytes | str | None, str | None]:
        budget = int(trial.budget) if whole else trial.budget
        if not with_state:
            return task.configure(trial), budget, None, None
        return task.configure(trial), budget, states.before(trial), states.path(trial)

    objective = partial(with_budget, task.objective, with_state)
    return replace(
        task, objective=objective, configure=configure, heavy=with_state, keep=states.kept
    )


def _needs_budget(objective: Callable[..., Any]) -> bool:
    """Whether a function of a configuration and a budget has no default for the budget."""
    try:
        _, *others = inspect.signature(objective).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == "budget" and p.default is p.empty for p in others)


def takes(objective: Callable[..., Any], name: str) -> bool:
    """Whether a function accepts an argument of this name; True if that is unknown."""
    if isinstance(objective, partial) and objective.func is worker.with_keywords:
        objective = objective.args[0]
    try:
        parameters = inspect.signature(objective).parameters
    except (TypeError, ValueError):
        return True
    if name in parameters:
        return parameters[name].kind is not inspect.Parameter.POSITIONAL_ONLY
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
