"""Repeated cross-validation for only those candidates that may be the best.

All candidates get the folds of the first repeat. Those within one standard error of the best get
the folds of the next repeat; of these, those that are still within one standard error get the one
after it, and so on. A repeat that is interrupted does not count.

k    folds of the first repeat
K    folds of all repeats
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Platform
from sparktune.sklearn.choice import alike
from sparktune.sklearn.fold import Evaluation, scored
from sparktune.sklearn.rows import named
from sparktune.sklearn.same_data import check_data
from sparktune.space import hp
from sparktune.trial import Trial
from sparktune.tuning import tune

Folds = list[dict[str, Any]]
"""What is known of a candidate, for each of its folds."""


def first_repeat(splits: Sequence[Any], n: int) -> int:
    """k: after how many splits each of n samples has been in a test fold.

    Raises:
        InvalidArgument: these are not the splits of a repeated cross-validation.
    """
    seen = np.zeros(n, dtype=int)
    for k, (_, test) in enumerate(splits, 1):
        seen[test] += 1
        if seen.min() == seen.max() == 1 and k < len(splits) and len(splits) % k == 0:
            return k
    raise InvalidArgument(
        'repeats="adaptive" needs a cv whose folds come several times, such as '
        "RepeatedStratifiedKFold(n_splits=5, n_repeats=4)"
    )


class Repeats:
    """The repeats of a search.

    Args:
        evaluation: of candidates on folds.
        on: where folds are evaluated.
        k, K: folds, see above.
        metric: that says what is best.
        journal: path of the search's journal, beside which that of the repeats is kept; or None.
        more: whether there is time for one more repeat.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        on: Platform,
        k: int,
        K: int,
        metric: str,
        journal: Any,
        more: Callable[[], bool],
    ) -> None:
        self.evaluation = evaluation
        self.on = on
        self.k = k
        self.K = K
        self.metric = metric
        self.journal = journal
        self.more = more

    def of(
        self, trials: Sequence[Trial], points: Sequence[Any], known: Sequence[Folds]
    ) -> tuple[list[Folds], int]:
        """All folds of each candidate, repeats included, and how many folds the best ones have;
        others have fewer.

        Args:
            trials: of the candidates.
            points: of the candidates, in the space.
            known: the k folds of each.
        """
        told = [[*folds] for folds in known]
        done = self.k
        while done < self.K and self.more():
            rows = self._undecided(told, done)
            if len(rows) < 2:
                break
            try:
                added = self._repeat({trials[row].id: points[row] for row in rows}, done)
            except KeyboardInterrupt:
                warnings.warn(
                    f"the search was interrupted in its repeats; {done} folds of the best count",
                    stacklevel=5,
                )
                break
            if not any(added):
                break
            for row, folds in zip(rows, added, strict=True):
                told[row] += folds
            done += self.k
        return told, done

    def _undecided(self, told: Sequence[Folds], done: int) -> list[int]:
        """The candidates with all folds so far that cannot be distinguished from the best."""
        rows = [row for row, folds in enumerate(told) if len(folds) == done]
        scores = np.array([self._scores(told[row]) for row in rows])
        means = scores.mean(axis=1)
        if not np.isfinite(means).any():
            return []
        return [rows[i] for i in alike(scores, int(np.nanargmax(means)))]

    def _scores(self, folds: Folds) -> NDArray[np.float64]:
        return np.array([named(fold["test_scores"])[self.metric] for fold in folds], dtype=float)

    def _repeat(self, points: Mapping[int, Any], done: int) -> list[Folds]:
        """The next k folds of these candidates; none of those of which one was lost."""
        tasks = [(id, fold) for id in points for fold in range(done, done + self.k)]
        path = None if self.journal is None else f"{os.fspath(self.journal)}.repeats"
        check_data(self.evaluation.data.mark, (), path)
        study = tune(
            scored(self.evaluation, points),
            _TASKS,
            sampler="random",
            on=self.on,
            max_trials=0,
            start=[{"candidate": id, "fold": fold} for id, fold in tasks],
            journal=path,
            errors="raise" if self.evaluation.error_score == "raise" else "record",
            progress=False,
        )
        known: dict[Any, Any] = {}
        for trial in study.records.values():
            told = trial.result or {}
            if "raised" in told:
                raise told["raised"]
            if "folds" in told:
                known[trial.values["candidate"], trial.values["fold"]] = told["folds"][0]
        folds = [[known.get((id, done + i)) for i in range(self.k)] for id in points]
        return [[] if None in each else each for each in folds]  # type: ignore[misc]


_TASKS = {"candidate": hp.randint("candidate", 2**31), "fold": hp.randint("fold", 2**31)}
