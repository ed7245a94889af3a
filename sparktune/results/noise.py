"""How far the best loss can be trusted: what the results themselves say of its noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.results.cells import duration
from sparktune.results.finished import Finished
from sparktune.results.ranking import best, comparable
from sparktune.trial import Trial


@dataclass(frozen=True, slots=True)
class Noise:
    """How exactly the best loss is known.

    error     standard error of the best loss
    source    what it is from, for people
    within    the comparable trials, best first, whose loss is at most one error above the best
    fastest   the one of these that took the shortest time; None where times are not known
    """

    error: float
    source: str
    within: Sequence[Trial]
    fastest: Trial | None


def noise(trials: Finished) -> Noise | None:
    """The noise of the best loss; None where no result tells of it.

    Told by `loss_variance` of the best result, by the folds of a search (`cv_results`), or by other
    evaluations of the same values.
    """
    found = best(trials.records.values())
    if found is None or found.loss is None or not math.isfinite(found.loss):
        return None
    usable = comparable(trials.records.values())
    told = _variance(found) or _folds(found) or _repeated(found, usable)
    if told is None:
        return None
    error, source = told
    within = [t for t in usable if t.loss is not None and t.loss <= found.loss + error]
    within.sort(key=lambda trial: trial.loss or 0.0)
    timed = [trial for trial in within if duration(trial) is not None]
    fastest = min(timed, key=lambda trial: duration(trial) or 0.0, default=None)
    return Noise(error, source, within, fastest)


def _variance(trial: Trial) -> tuple[float, str] | None:
    variance = _finite((trial.result or {}).get("loss_variance"))
    if variance is None or variance <= 0:
        return None
    return math.sqrt(variance), "the loss_variance that the objective returned"


def _folds(trial: Trial) -> tuple[float, str] | None:
    """From the scores of the folds whose mean is the loss."""
    row = (trial.result or {}).get("cv_results")
    if not isinstance(row, Mapping) or trial.loss is None:
        return None
    for key, mean in row.items():
        if not str(key).startswith("mean_test_") or _finite(mean) != -trial.loss:
            continue
        metric = str(key).removeprefix("mean_")
        each = [row[name] for name in row if str(name).startswith("split") and _of(name, metric)]
        scores = [score for score in map(_finite, each) if score is not None]
        if len(scores) > 1:
            error = float(np.std(scores, ddof=1)) / math.sqrt(len(scores))
            return error, f"the scores of {len(scores)} folds"
    return None


def _of(name: Any, metric: str) -> bool:
    return str(name).lstrip("split").lstrip("0123456789") == f"_{metric}"


def _repeated(trial: Trial, usable: Sequence[Trial]) -> tuple[float, str] | None:
    """From other evaluations of the same values, which have the same noise."""
    losses = [each.loss for each in usable if dict(each.values) == dict(trial.values)]
    finite = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    if len(finite) < 2:
        return None
    return float(np.std(finite, ddof=1)), f"{len(finite)} evaluations of the same values"


def _finite(value: Any) -> float | None:
    """A finite number as a float."""
    if isinstance(value, (int, float, np.number)) and math.isfinite(float(value)):
        return float(value)
    return None
