"""Results of a finished search about its best candidate, in addition to the mean score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.sklearn.choice import fold_scores
from sparktune.sklearn.corrected import DRAWS, Corrected, agrees, bbc, tibshirani
from sparktune.sklearn.predictions import Entries, responses
from sparktune.sklearn.weighted import Responses, is_share, weighted
from sparktune.study import Study
from sparktune.trial import Trial

_SLOWLY = 10, 100  # candidates and bootstrap samples, where the scorer is called for each


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished search.

    study      its study
    trials     of the rows of the table
    table      `cv_results_`
    metric     that says what is best
    scorer     of this metric
    entries    the kept entries; None: there are none
    n          folds that all candidates have, as far as they do not race
    """

    study: Study
    trials: Sequence[Trial]
    table: Mapping[str, Any]
    metric: str
    scorer: Any
    entries: Entries | None
    n: int

    @property
    def folds(self) -> NDArray[np.float64]:
        """The scores (candidates, folds)."""
        return fold_scores(self.table, self.metric)

    @property
    def shared(self) -> NDArray[np.float64]:
        """The scores of the folds that all candidates have."""
        return self.folds[:, : self.n]

    def candidates(self) -> dict[int, Responses]:
        """The kept predictions of the candidates, best first, by their rows."""
        if self.entries is None:
            return {}
        means = self.shared.mean(axis=1)
        known: dict[int, Responses] = {}
        for row in np.argsort(-means, kind="stable"):
            told = responses(self.study, self.trials[row].id, self.entries)
            if told is not None and np.isfinite(means[row]):
                known[int(row)] = told
        return known


def correction(search: Finished, best: int, span: tuple[float, float]) -> Corrected:
    """The corrected score of the best candidate, within the lowest and the highest score there can
    be, as far as the scores seen agree with that.
    """
    corrected, seen = _correction(search, best), search.shared[np.isfinite(search.shared)]
    low, high = span
    return corrected.within(low, high) if ((low <= seen) & (seen <= high)).all() else corrected


def _correction(search: Finished, best: int) -> Corrected:
    if search.entries is None:
        why = "there are no predictions of single targets"
        return tibshirani(search.shared, best, why)
    candidates = search.candidates()
    if best not in candidates:
        return tibshirani(search.shared, best, "its predictions are not there")
    score, quick = weighted(search.scorer, search.entries)
    try:
        if search.entries.complete and not agrees(
            candidates[best], score, search.entries, search.shared[best]
        ):
            why = "the score depends on more than targets and predictions"
            return tibshirani(search.shared, best, why)
        most, draws = (len(candidates), DRAWS) if quick else _SLOWLY
        told = [*candidates.values()][:most]
        rng = np.random.default_rng(0)
        return bbc(told, score, search.entries, rng, draws, is_share(search.scorer, search.entries))
    except Exception as error:  # of the user's scorer, which wants more than predictions
        why = f"the scorer needs more than predictions ({type(error).__name__}: {error})"
        return tibshirani(search.shared, best, why)
