"""What grows in a search with a scheduler: how candidates are evaluated with it, and what becomes
of those that never got all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _num_samples

from sparktune.budgets.samples import subset
from sparktune.errors import InvalidArgument
from sparktune.schedulers import Folds, ladder
from sparktune.sklearn.checks import points
from sparktune.sklearn.fold import Evaluation, Parameters
from sparktune.sklearn.growing import SAMPLES, Growing
from sparktune.sklearn.rows import ROW
from sparktune.space.space import Space
from sparktune.trial import Trial


def check_options(scheduler: Any, resource: Any, *, racing: bool) -> None:
    """Check that these options can be combined.

    Raises:
        InvalidArgument: they cannot.
    """
    if isinstance(scheduler, Folds):
        raise InvalidArgument(
            f"a search stops candidates after some folds by itself: set racing=True instead of "
            f"scheduler={scheduler!r}"
        )
    if (scheduler is None) is not (resource is None) or (racing and scheduler is not None):
        raise InvalidArgument(
            "scheduler= and resource= go together, and without racing=True, as in "
            'scheduler=ASHA(min_budget=10, max_budget=270), resource="n_estimators"; got '
            f"scheduler={scheduler!r}, resource={resource!r}, racing={racing!r}"
        )


def growing(
    evaluation: Evaluation, scheduler: Any, resource: str, space: Space, seed: int
) -> Growing:
    """An evaluation whose candidates get the budgets of a scheduler.

    Raises:
        InvalidArgument: nothing can grow so; the message shows the budgets.
    """
    rungs = ladder(scheduler)
    shown = ", ".join(f"{rung:g}" for rung in rungs)
    if not rungs:
        raise InvalidArgument(
            f"scheduler must give budgets, as ASHA(min_budget=10, max_budget=270) does, "
            f"got {scheduler!r}"
        )
    orders: list[NDArray[np.intp]] = []
    warm, shares = "", False
    if resource == SAMPLES:
        shares = rungs[-1] <= 1
        orders = _orders(evaluation, rungs, shown, seed)
    else:
        _check_parameter(evaluation, resource, rungs, shown, space)
        warm = _warm(evaluation.estimator, resource)
    return Growing(evaluation, resource, orders, shares=shares, warm=warm)


def _orders(
    evaluation: Evaluation, rungs: Sequence[float], shown: str, seed: int
) -> list[NDArray[np.intp]]:
    """For each fold positions in its training samples, whose begin is a smaller sample."""
    data = evaluation.data
    n = _num_samples(data.X)
    data.splits = [(np.arange(n)[train], test) for train, test in data.splits]
    least = min(len(train) for train, _ in data.splits)
    if rungs[-1] > max(least, 1):
        raise InvalidArgument(
            f'resource="n_samples": the budgets are {shown}, and a fold has {least} samples to '
            f"learn from; give max_budget={least} at most, or shares, as in "
            "ASHA(min_budget=1 / 9, max_budget=1)"
        )
    single = data.y is not None and np.ndim(data.y) == 1
    y = np.asarray(data.y) if single else None
    return [subset(len(train) if y is None else y[train], 1.0, seed) for train, _ in data.splits]


def _check_parameter(
    evaluation: Evaluation, resource: str, rungs: Sequence[float], shown: str, space: Space
) -> None:
    parameters = evaluation.estimator.get_params()
    if resource not in parameters:
        raise InvalidArgument(
            f'resource must be "n_samples" or a parameter of the estimator, such as '
            f"n_estimators; got {resource!r}"
        )
    if any(resource in evaluation.flatten(point) for point in points(space)):
        raise InvalidArgument(
            f"the scheduler sets {resource}, its budgets are {shown}; take it out of the space"
        )
    whole = isinstance(parameters[resource], int) and not isinstance(parameters[resource], bool)
    if whole and not all(float(rung).is_integer() for rung in rungs):
        raise InvalidArgument(
            f"{resource} is a whole number, and the budgets are {shown}; give whole numbers as "
            "min_budget and max_budget"
        )


def _warm(estimator: Any, resource: str) -> str:
    """The parameter that makes a model continue from what it has learned; "" if there is none, or
    where the resource would count what is added.
    """
    prefix, _, name = resource.rpartition("__")
    model, parameters = estimator, estimator.get_params()
    if prefix:
        steps = getattr(estimator, "steps", None)
        if not steps or prefix != steps[-1][0]:
            return ""
        model = steps[-1][1]
    counts_all = name == "n_estimators" or (
        name == "max_iter" and type(model).__name__.startswith("HistGradientBoosting")
    )
    warm = f"{prefix}__warm_start" if prefix else "warm_start"
    return warm if counts_all and warm in parameters else ""


def compared(
    candidates: list[Parameters],
    trials: Sequence[Trial],
    folds: list[list[dict[str, Any]]],
    resource: str | None,
) -> tuple[list[Parameters], list[list[dict[str, Any]]]]:
    """The parameters with which candidates were evaluated at last; and the folds of each, without
    the test scores of those that had less than the largest budget: those are not compared.
    """
    if resource is None:
        return candidates, folds
    if resource != SAMPLES:
        budgets = [int(b) if (b := trial.budget) == int(b) else b for trial in trials]
        candidates = [c | {resource: b} for c, b in zip(candidates, budgets, strict=True)]
    largest = max((trial.budget for trial in trials if trial.result), default=0.0)
    pairs = zip(trials, folds, strict=True)
    return candidates, [
        told if trial.budget >= largest else [*map(_without_scores, told)] for trial, told in pairs
    ]


def _without_scores(fold: dict[str, Any]) -> dict[str, Any]:
    scores = fold["test_scores"]
    nothing = dict.fromkeys(scores, math.nan) if isinstance(scores, dict) else math.nan
    return fold | {"test_scores": nothing}


def columns(trials: Sequence[Trial], metric: str) -> dict[str, list[Any]]:
    """More columns of `cv_results_`: the budget of each candidate, and its mean score with that."""
    rows = [(trial.result or {}).get(ROW, {}) for trial in trials]
    means = [row.get(f"mean_test_{metric}", math.nan) for row in rows]
    return {"n_resources": [trial.budget for trial in trials], f"partial_test_{metric}": means}
