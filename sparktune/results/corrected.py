"""Estimates of the best loss on new data: the bias of a minimum, and losses on held-out data.

Sources: R. J. Tibshirani, R. Tibshirani, "A bias correction for the minimum error rate in
cross-validation", Annals of Applied Statistics 3(2), 2009; L. Schneider, B. Bischl, M. Feurer,
"Overtuning in Hyperparameter Optimization", arXiv 2506.19540, 2025.

Notation:

    e_k(t)     loss of trial t on fold k of K; its loss is the mean over k
    t*         the best trial; t*_k the best one on fold k
    bias       mean over k of e_k(t*) - e_k(t*_k)
    incumbents    the trials, by their ids, that are better than all before; some have a test loss
    overtuning    test loss of the last incumbent, minus the smallest test loss of an incumbent
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.results.finished import Finished
from sparktune.results.ranking import best, comparable
from sparktune.space.distributions import Array
from sparktune.trial import Trial

_LEAST = 3  # smallest number of folds for an estimate of the bias
_TEST = ("test_loss", "true_loss")  # keys of a result; the second is Hyperopt's name


@dataclass(frozen=True, slots=True)
class Corrected:
    """The best loss, corrected for the bias of a minimum.

    bias       the amount by which the minimum is expected to be too small
    loss       the best loss plus the bias
    folds      K
    trials     the number of trials with losses of all folds
    """

    bias: float
    loss: float
    folds: int
    trials: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Losses of the incumbents on data that the search did not see, in the order of their ids.

    trials     the n incumbents that have such a loss
    losses     (n,) their losses on that data
    """

    trials: Sequence[Trial]
    losses: Array

    @property
    def overtuning(self) -> float:
        """The test loss of the last incumbent minus the smallest one; 0 if the last is the best."""
        return float(self.losses[-1] - self.losses.min())


def corrected(trials: Finished) -> Corrected | None:
    """The best loss, corrected with the losses of its folds. None if results hold no such losses;
    they are `losses`, a list whose mean is the loss, or the `cv_results` of a search.
    """
    found = best(trials.records.values())
    folds = {t.id: fold_losses(t) for t in comparable(trials.records.values())}
    known = None if found is None else folds[found.id]
    if found is None or found.loss is None or known is None or len(known) < _LEAST:
        return None
    same = [each for each in folds.values() if each is not None and len(each) == len(known)]
    if len(same) < 2:
        return None
    bias = float(np.mean(known - np.min(same, axis=0)))
    return Corrected(bias, found.loss + bias, len(known), len(same))


def fold_losses(trial: Trial) -> Array | None:
    """(K,) the losses of the folds, whose mean is the trial's loss; None if they are unknown."""
    result = trial.result or {}
    for given in (result.get("losses"), _scores(result.get("cv_results"), trial.loss)):
        if not isinstance(given, (list, tuple, np.ndarray)) or not len(given):
            continue
        try:
            found = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            continue
        whole = found.ndim == 1 and bool(np.isfinite(found).all())
        if (
            whole
            and trial.loss is not None
            and math.isclose(found.mean(), trial.loss, rel_tol=1e-6)
        ):
            return found
    return None


def _scores(row: Any, loss: float | None) -> list[float] | None:
    """The negated scores of the folds in a row of `cv_results` whose mean is the loss."""
    if not isinstance(row, Mapping) or loss is None:
        return None
    for key, mean in row.items():
        if isinstance(key, str) and key.startswith("mean_test_") and mean == -loss:
            metric = key.removeprefix("mean_")
            names = (f"split{k}_{metric}" for k in range(len(row)))
            return [-float(row[name]) for name in names if name in row]
    return None


def held_out(trials: Finished, test: float | Mapping[Any, float] | None) -> HeldOut | None:
    """Losses of the incumbents on held-out data; None if no incumbent has one.

    Args:
        trials: the trials of one study.
        test: the test loss of the best trial, or {trial id: test loss}; None: `test_loss` or
            `true_loss` in the results of the trials.
    """
    known = _test_losses(trials, test)
    smallest, found = math.inf, []
    for trial in sorted(comparable(trials.records.values()), key=lambda trial: trial.id):
        if trial.loss is not None and trial.loss < smallest:
            smallest = trial.loss
            if trial.id in known:
                found.append(trial)
    if not found:
        return None
    return HeldOut(found, np.array([known[trial.id] for trial in found]))


def _test_losses(trials: Finished, test: Any) -> Mapping[Any, float]:
    if isinstance(test, Mapping):
        return test
    records = trials.records.values()
    if test is not None:
        found = best(records)
        return {} if found is None else {found.id: float(test)}
    told = {trial.id: _reported_loss(trial.result or {}) for trial in records}
    return {id: loss for id, loss in told.items() if loss is not None}


def _reported_loss(result: Mapping[str, Any]) -> float | None:
    given = next((result[name] for name in _TEST if name in result), None)
    number = isinstance(given, (int, float, np.number)) and math.isfinite(float(given))
    return float(given) if given is not None and number else None
