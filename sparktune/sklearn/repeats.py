"""Repeated cross-validation for those candidates alone among which it decides.

All candidates get the folds of the first repeat. Those within one standard error of the best get
the folds of the next repeat; of these, those that are still within one standard error get the one
after it, and so on. A repeat that is interrupted does not count.

k    folds of the first repeat
K    folds of all repeats
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Platform
from sparktune.sklearn.choice import alike
from sparktune.sklearn.fold import Evaluation, scored
from sparktune.sklearn.rows import named
from sparktune.sklearn.side_by_side import outcomes, value_of

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
        more: whether there is time for one more repeat.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        on: Platform,
        k: int,
        K: int,
        metric: str,
        more: Callable[[], bool],
    ) -> None:
        self.evaluation = evaluation
        self.on = on
        self.k = k
        self.K = K
        self.metric = metric
        self.more = more

    def of(self, points: Sequence[Any], known: Sequence[Folds]) -> tuple[list[Folds], int]:
        """The folds of the candidates with those of their repeats, and how many the best ones have.
        Others lack some.

        Args:
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
                added = self._repeat([points[row] for row in rows], done)
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
        """The candidates with all folds so far that cannot be told from the best of them."""
        rows = [row for row, folds in enumerate(told) if len(folds) == done]
        scores = np.array([self._scores(told[row]) for row in rows])
        means = scores.mean(axis=1)
        if not np.isfinite(means).any():
            return []
        return [rows[i] for i in alike(scores, int(np.nanargmax(means)))]

    def _scores(self, folds: Folds) -> NDArray[np.float64]:
        return np.array([named(fold["test_scores"])[self.metric] for fold in folds], dtype=float)

    def _repeat(self, points: Sequence[Any], done: int) -> list[Folds]:
        """The next k folds of these candidates; none of those of which one was lost."""
        tasks = [(point, fold) for point in points for fold in range(done, done + self.k)]
        ended = outcomes(self.on, scored(self.evaluation, tasks), range(len(tasks)), "repeat")
        strict = self.evaluation.error_score == "raise"
        folds: list[Any] = []
        for outcome in ended:
            told = value_of(outcome) if strict or outcome.status.returned else None
            if told is not None and "raised" in told:
                raise told["raised"]
            folds.append(None if told is None else told["folds"][0])
        by_candidate = [folds[i : i + self.k] for i in range(0, len(folds), self.k)]
        return [[] if None in each else each for each in by_candidate]
