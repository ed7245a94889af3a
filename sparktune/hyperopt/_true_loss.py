"""`true_loss`: the true loss of the best trial if losses are noisy."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.trial import STATUS_OK


def true_loss(
    results: Iterable[Mapping[str, Any]], loss_of: Callable[[Mapping[str, Any]], Any]
) -> float:
    """Return the true loss of the best result. If results have a `loss_variance`, it is the mean of
    the `true_loss` of results near the best result, weighted by the probability (from 1,000 draws)
    that the result is the best.

    Raises:
        ValueError: no result has a loss.
        InvalidArgument: a loss or variance is not a number, or a variance is negative.
    """
    ok = [result for result in results if result["status"] == STATUS_OK]
    rows = [
        (loss, result.get("loss_variance", 0.0), result.get("true_loss", loss))
        for result in ok
        if (loss := loss_of(result)) == loss
    ]
    if not rows:
        raise ValueError("Empty loss vector: no trial has a loss")
    loss, variance, true = np.array(sorted(_numbers(row) for row in rows)).T
    if not variance.any():
        return float(true[0])
    near = loss < loss[0] + max(3 * np.sqrt(variance[0]), np.finfo(float).tiny)
    return float(_chance_of_best(loss[near], variance[near]) @ true[near])


def _numbers(row: tuple[Any, ...]) -> tuple[float, ...]:
    """Convert a loss, its variance and the true loss to floats."""
    try:
        loss, variance, true_loss = map(float, row)
    except (TypeError, ValueError, OverflowError):
        variance = math.nan
    if not 0 <= variance < math.inf:
        raise InvalidArgument(
            "the loss, the loss_variance and the true_loss of a result must be numbers, and the "
            f"variance at least 0, got {reprlib.repr(row)}"
        )
    return loss, variance, true_loss


def _chance_of_best(mean: np.ndarray[Any, Any], variance: np.ndarray[Any, Any]) -> Any:
    """Return, for each loss, the share of 1,000 draws from independent normal distributions in
    which it is the smallest.
    """
    rng = np.random.default_rng(232342)
    draws = rng.normal(mean, np.sqrt(variance), (1000, len(mean)))
    return np.bincount(draws.argmin(axis=1), minlength=len(mean)) / 1000
