"""How far the best loss can be trusted: what the results themselves say about its noise."""

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
    """The noise of the best loss, from the best result (`told_noise`) or from other evaluations of
    the same values; None where neither says anything.
    """
    found = best(trials.records.values())
    if found is None or found.loss is None or not math.isfinite(found.loss):
        return None
    usable = comparable(trials.records.values())
    told = _told(found) or _repeated(found, usable)
    if told is None:
        return None
    error, source = told
    within = [t for t in usable if t.loss is not None and t.loss <= found.loss + error]
    within.sort(key=lambda trial: trial.loss or 0.0)
    timed = [trial for trial in within if duration(trial) is not None]
    fastest = min(timed, key=lambda trial: duration(trial) or 0.0, default=None)
    return Noise(error, source, within, fastest)


def _told(trial: Trial) -> tuple[float, str] | None:
    told = variance_of(trial.result, trial.loss)
    return told and (math.sqrt(told[0]), told[1])


def _repeated(trial: Trial, usable: Sequence[Trial]) -> tuple[float, str] | None:
    """From other evaluations of the same values, which have the same noise."""
    losses = [each.loss for each in usable if dict(each.values) == dict(trial.values)]
    finite = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    if len(finite) < 2:
        return None
    return float(np.std(finite, ddof=1)), f"{len(finite)} evaluations of the same values"
