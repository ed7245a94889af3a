"""The standard error of the best loss, estimated from the results of the trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparktune.results.cells import duration
from sparktune.results.finished import Finished
from sparktune.results.ranking import best, comparable
from sparktune.told_noise import variance_of
from sparktune.trial import Trial


@dataclass(frozen=True, slots=True)
class Noise:
    """The uncertainty of the best loss.

    error     standard error of the best loss
    source    origin of the estimate, as a text for people
    within    the comparable trials whose loss is at most one error above the best, best first
    fastest   the trial of `within` with the shortest duration; None if no duration is known
    """

    error: float
    source: str
    within: Sequence[Trial]
    fastest: Trial | None


def noise(trials: Finished) -> Noise | None:
    """The noise of the best loss, estimated from its result (`told_noise`) or else from repeated
    evaluations of the same values; None if neither gives an estimate.
    """
    found = best(trials.records.values())
    if found is None or found.loss is None or not math.isfinite(found.loss):
        return None
    usable = comparable(trials.records.values())
    told = _from_result(found) or _from_repeats(found, usable)
    if told is None:
        return None
    error, source = told
    within = [t for t in usable if t.loss is not None and t.loss <= found.loss + error]
    within.sort(key=lambda trial: trial.loss or 0.0)
    timed = [trial for trial in within if duration(trial) is not None]
    fastest = min(timed, key=lambda trial: duration(trial) or 0.0, default=None)
    return Noise(error, source, within, fastest)


def _from_result(trial: Trial) -> tuple[float, str] | None:
    told = variance_of(trial.result, trial.loss)
    return told and (math.sqrt(told[0]), told[1])


def _from_repeats(trial: Trial, usable: Sequence[Trial]) -> tuple[float, str] | None:
    """The standard deviation of the losses of all evaluations of the same values."""
    losses = [each.loss for each in usable if dict(each.values) == dict(trial.values)]
    finite = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    if len(finite) < 2:
        return None
    return float(np.std(finite, ddof=1)), f"{len(finite)} evaluations of the same values"
