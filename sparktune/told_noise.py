"""The variance of the noise of a loss, from the result of its trial."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_SOURCES = frozenset({"loss_variance", "losses", "cv_results"})


def variance_of(result: Mapping[str, Any] | None, loss: float | None) -> tuple[float, str] | None:
    """(variance of the noise of a loss, its origin as a text); None if the result does not give it.
    The variance is `loss_variance`. Without that, it is the variance of the folds whose mean is the
    loss, divided by their number; the folds are in `losses`, or in `cv_results` of a search.
    """
    if not result or _SOURCES.isdisjoint(result):
        return None
    told = _finite(result.get("loss_variance"))
    if told is not None and told > 0:
        return told, "the loss_variance that the objective returned"
    folds = _losses(result) or _scores(result, loss)
    if len(folds) < 2:
        return None
    from statistics import variance as variance_among  # imported here: few results have folds

    variance = variance_among(folds)
    if not variance:
        return None
    return variance / len(folds), f"the scores of {len(folds)} folds"


def in_plain_numbers(result: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a result that give the variance and are an array or an unusual number, as
    lists and floats.
    """
    found: dict[str, Any] = {}
    told: Any = result.get("loss_variance")
    losses: Any = result.get("losses")
    if not isinstance(told, (int, float)) and (number := _finite(told)) is not None:
        found["loss_variance"] = number
    if hasattr(losses, "tolist"):
        found["losses"] = losses.tolist()
    return found


def _losses(result: Mapping[str, Any]) -> list[float]:
    losses = in_plain_numbers(result).get("losses", result.get("losses"))
    if not isinstance(losses, Sequence) or isinstance(losses, str):
        return []
    return [loss for loss in map(_finite, losses) if loss is not None]


def _scores(result: Mapping[str, Any], loss: float | None) -> list[float]:
    """The scores of the folds of a search, whose negated mean is the loss."""
    row = result.get("cv_results")
    if not isinstance(row, Mapping) or loss is None:
        return []
    for key, mean in row.items():
        if str(key).startswith("mean_test_") and _finite(mean) == -loss:
            metric = str(key).removeprefix("mean_")
            each = [row[name] for name in row if _is_of_fold(str(name), metric)]
            return [score for score in map(_finite, each) if score is not None]
    return []


def _is_of_fold(name: str, metric: str) -> bool:
    fold = name.removesuffix(f"_{metric}")
    return fold != name and fold.startswith("split") and fold[5:].isdigit()


def _finite(value: Any) -> float | None:
    """A finite number of Python or numpy as a float; None for everything else, including bools."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value) if not isinstance(value, str) else math.nan
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
