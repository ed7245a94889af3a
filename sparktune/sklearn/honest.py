"""What a finished search says of its best candidate beside the mean score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.sklearn.choice import fold_scores
from sparktune.sklearn.corrected import DRAWS, Corrected, agrees, bbc, tibshirani
from sparktune.sklearn.predictions import Entries, responses
from sparktune.sklearn.weighted import Responses, weighted
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
    """

    study: Study
    trials: Sequence[Trial]
    table: Mapping[str, Any]
    metric: str
    scorer: Any
    entries: Entries | None

    @property
    def folds(self) -> NDArray[np.float64]:
        """The scores (candidates, folds)."""
        return fold_scores(self.table, self.metric)

    def candidates(self) -> dict[int, Responses]:
        """What the candidates answered whose predictions are kept, best first, by their rows."""
        if self.entries is None:
            return {}
        means = np.asarray(self.table[f"mean_test_{self.metric}"], dtype=float)
        known: dict[int, Responses] = {}
        for row in np.argsort(-means, kind="stable"):
            told = responses(self.study, self.trials[row].id, self.entries)
            if told is not None and np.isfinite(means[row]):
                known[int(row)] = told
        return known


def correction(search: Finished, best: int) -> Corrected:
    """The corrected score of the best candidate."""
    if search.entries is None:
        why = "there are no predictions of single targets"
        return tibshirani(search.folds, best, why)
    candidates = search.candidates()
    if best not in candidates:
        return tibshirani(search.folds, best, "its predictions are not there")
    score, quick = weighted(search.scorer, search.entries)
    try:
        if search.entries.complete and not agrees(
            candidates[best], score, search.entries, search.folds[best]
        ):
            why = "the score depends on more than targets and predictions"
            return tibshirani(search.folds, best, why)
        most, draws = (len(candidates), DRAWS) if quick else _SLOWLY
        told = [*candidates.values()][:most]
        return bbc(told, score, search.entries, np.random.default_rng(0), draws)
    except Exception as error:  # of the user's scorer, which wants more than predictions
        why = f"the scorer needs more than predictions ({type(error).__name__}: {error})"
        return tibshirani(search.folds, best, why)
