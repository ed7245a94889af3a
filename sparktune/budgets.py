"""Objectives that get a budget: how they are called, and which ones cannot be."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sparktune import worker
from sparktune.errors import InvalidArgument
from sparktune.executors.task import Task
from sparktune.schedulers import Scheduler, ladder
from sparktune.trial import Trial

logger = logging.getLogger("sparktune")


def with_budgets(task: Task, scheduler: Scheduler) -> Task:
    """The task whose objective also gets the budgets that a scheduler gives: whole numbers where
    all of them are. The same task where it gives full evaluations alone.

    Raises:
        InvalidArgument: the objective takes no budget.
    """
    rungs = ladder(scheduler)
    if not rungs:
        return task
    shown = ", ".join(f"{rung:g}" for rung in rungs)
    if not takes(task.objective, "budget"):
        raise InvalidArgument(
            f"the scheduler gives the budgets {shown}, and the objective {task.name} takes none; "
            "let it take one, as in def objective(config, budget), or leave out scheduler="
        )
    logger.info("each configuration may get the budgets %s", shown)
    whole = all(float(rung).is_integer() for rung in rungs)

    def configure(trial: Trial) -> tuple[Any, float]:
        return task.configure(trial), int(trial.budget) if whole else trial.budget

    return replace(task, objective=partial(worker.with_budget, task.objective), configure=configure)


def takes(objective: Callable[..., Any], name: str) -> bool:
    """Whether a function can be called with an argument of this name; True if nobody knows."""
    if isinstance(objective, partial) and objective.func is worker.with_keywords:
        objective = objective.args[0]
    try:
        parameters = inspect.signature(objective).parameters
    except (TypeError, ValueError):
        return True
    if name in parameters:
        return parameters[name].kind is not inspect.Parameter.POSITIONAL_ONLY
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
