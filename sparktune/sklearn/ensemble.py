"""Ensembles of the candidates of a search.

R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of models",
ICML 2004: add, again and again, the model with which the mean of all predictions scores best;
models may come several times. As there (section 2.2), the first are the best models by themselves,
against luck with few samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

from sparktune.errors import InvalidArgument
from sparktune.sklearn.predictions import Entries
from sparktune.sklearn.weighted import Responses, Weighted

_FIRST = 3
"""How many of the best by themselves an ensemble begins with, at most."""


def averaged(
    candidates: Mapping[int, Responses], entries: Entries
) -> dict[int, NDArray[np.float64]]:
    """The predictions to average of each candidate that has them: probabilities or numbers."""
    method = "predict" if entries.classes is None else "predict_proba"
    return {i: told[method].astype(float) for i, told in candidates.items() if method in told}


def greedy(
    candidates: Mapping[int, NDArray[np.float64]], size: int, score: Weighted, entries: Entries
) -> dict[int, float]:
    """The weights {candidate: share} of an ensemble of `size` draws; they sum to 1. The candidates
    come best first: a fourth of the draws, up to 3, are the first of them, and of equally good ones
    the first is drawn.
    """
    ones = np.ones((1, len(entries.y)))
    begin = [*candidates][: min(_FIRST, max(1, size // 4))]
    counts = {i: int(i in begin) for i in candidates}
    total = np.sum([candidates[i] for i in begin], axis=0)
    for n in range(len(begin) + 1, size + 1):
        scores = {
            i: float(score(_answers((total + told) / n, entries), ones)[0])
            for i, told in candidates.items()
        }
        best = max(scores, key=scores.__getitem__)
        counts[best] += 1
        total += candidates[best]
    return {i: count / size for i, count in counts.items() if count}


def _answers(mean: NDArray[np.float64], entries: Entries) -> Responses:
    if entries.classes is None:
        return {"predict": mean}
    labels = entries.classes[mean.argmax(axis=1)]
    return {"predict_proba": mean, "predict": labels}


def voting(models: Sequence[Any], weights: Sequence[float], classes: Any) -> Any:
    """The fitted `VotingClassifier` or `VotingRegressor` of fitted models."""
    named = [(f"model_{i}", model) for i, model in enumerate(models)]
    if classes is None:
        ensemble = VotingRegressor(named, weights=list(weights))
    else:
        ensemble = VotingClassifier(named, voting="soft", weights=list(weights))
        ensemble.le_ = LabelEncoder().fit(classes)
        ensemble.classes_ = ensemble.le_.classes_
    ensemble.estimators_ = list(models)
    ensemble.named_estimators_ = Bunch(**dict(named))
    if (names := getattr(models[0], "feature_names_in_", None)) is not None:
        ensemble.feature_names_in_ = names
    return ensemble


def check_members(candidates: Mapping[int, Any], entries: Entries | None) -> None:
    """Raises:
    InvalidArgument: there is nothing to make an ensemble of.
    """
    if entries is None:
        raise InvalidArgument("ensemble: it needs y, with one target for each sample")
    if not candidates:
        raise InvalidArgument(
            "ensemble: no candidate has a method predict_proba, which is what is averaged; for "
            "SVC, say, set probability=True"
        )
