"""The score of the best candidate of a search, corrected for its selection.

The best mean of many is better than what its candidate will do on new data. Two corrections:

BBC-CV (I. Tsamardinos, E. Greasidou, G. Borboudakis, "Bootstrapping the out-of-sample predictions
for efficient and accurate cross-validation", Machine Learning 107, 2018, algorithm 4): choose the
best on bootstrap samples of the out-of-fold predictions, score it on what the sample left out.

Tibshirani (R. J. Tibshirani, R. Tibshirani, "A bias correction for the minimum error rate in
cross-validation", Annals of Applied Statistics 3, 2009, equation 2.3): how much better the best of
each fold is in it than the best of all folds.

Wilson (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA
22, 1927): what a share may be that was seen in n samples. Bootstrap samples of predictions that are
all right are all right too, and say nothing of how sure that is.

    m    candidates
    K    folds
    N    entries: predictions of a candidate for samples that its model did not learn from
    B    bootstrap samples
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from sparktune.sklearn.predictions import Entries
from sparktune.sklearn.weighted import Array, Responses, Weighted

DRAWS = 300
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected score.

    score       what the chosen candidate is expected to reach; NaN if nobody can say
    interval    95 % of what it may be
    source      how it was made, or why there is none
    """

    score: float
    interval: tuple[float, float]
    source: str

    def within(self, low: float, high: float) -> Corrected:
        """The same without what is below `low` or above `high`."""
        score, *interval = (float(np.clip(x, low, high)) for x in (self.score, *self.interval))
        return Corrected(score, (interval[0], interval[1]), self.source)


def no_score(reason: str) -> Corrected:
    """The result if there is no corrected score, with the reason."""
    return Corrected(np.nan, (np.nan, np.nan), reason)


def bbc(
    candidates: Sequence[Responses],
    score: Weighted,
    entries: Entries,
    rng: np.random.Generator,
    draws: int = DRAWS,
    share: bool = False,
) -> Corrected:
    """BBC-CV. Samples that are drawn together are drawn whole; samples without an own score (those
    that lack a class, say) do not count. If the score is the share of samples that are right, the
    interval holds Wilson's.
    """
    units = int(entries.units.max()) + 1
    counts = rng.multinomial(units, np.full(units, 1 / units), size=draws).astype(float)
    W = counts[:, entries.units]
    inside = np.array([score(told, W) for told in candidates])  # (m, B)
    chosen = np.where(np.isfinite(inside), inside, -np.inf).argmax(axis=0)
    outside = np.full(draws, np.nan)
    out = (W == 0).astype(float)
    for i in np.unique(chosen):
        mine = (chosen == i) & out.any(axis=1)
        outside[mine] = score(candidates[i], out[mine])
    known = outside[np.isfinite(outside)]
    if not len(known):
        return no_score("no bootstrap sample of the predictions can be scored")
    low, high = np.quantile(known, [0.025, 0.975])
    mean = float(known.mean())
    if share:
        least, most = wilson(mean, units)
        low, high = min(low, least), max(high, most)
    source = f"BBC-CV, {len(known)} bootstrap samples of {len(candidates)} candidates' predictions"
    return Corrected(mean, (float(low), float(high)), source)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in n samples."""
    z2 = ndtri(0.975) ** 2 / n
    centre = (share + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * share * (1 - share) + z2**2 / 4) / (1 + z2)
    return float(centre - half), float(centre + half)


def tibshirani(folds: NDArray[np.float64], best: int, why: str) -> Corrected:
    """The correction from the scores of the folds alone.

    Args:
        folds: (m, K) scores of the candidates, larger is better.
        best: the row of the chosen one.
        why: why it is not BBC-CV.
    """
    known = folds[np.isfinite(folds).all(axis=1)]
    mine = folds[best]
    K = len(mine)
    if K < 2 or not np.isfinite(mine).all():
        return no_score(f"{why}, and there are not two folds with scores")
    score = float(mine.mean() - (known.max(axis=0) - mine).mean())
    error = float(mine.std(ddof=1) / np.sqrt(K) * stdtrit(K - 1, 0.975))
    return Corrected(score, (score - error, score + error), f"Tibshirani's correction, as {why}")


def agrees(told: Responses, score: Weighted, entries: Entries, folds: Sequence[float]) -> bool:
    """Whether the score of the kept predictions of each fold is the score that the fold got; if
    not, the score depends on more than the predictions.
    """
    W = (entries.folds == np.arange(len(folds))[:, None]).astype(float)
    again: Array = score(told, W)
    scale = _TOLERANCE * max(1.0, float(np.abs(folds).max(initial=0.0)))
    return bool(np.allclose(again, folds, rtol=_TOLERANCE, atol=scale))
