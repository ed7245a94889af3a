"""The density ratio by which TPE ranks points. Pending trials lower it in their neighbourhood.

    l, g    mixtures of the good trials and of the bad ones
    r       the kernels of pending trials, which are added to g

A pending trial is not a bad trial, but its neighbourhood will soon be known. Its weight in g is a
fixed share of the weight of an average good trial in l, and so does not depend on the number of
trials. Its kernel is narrower than those of l, because one of the same width would lower the peak
of the ratio without moving it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparktune.samplers._parzen import Parzen
from sparktune.samplers._points import Points
from sparktune.space.distributions import Array

_WEIGHT = 0.1
"""Weight of a pending trial in g, as a share of the weight of an average good trial in l."""

_WIDTH = 0.5
"""Width of its kernel, as a share of the width of those of l."""


@dataclass(frozen=True)
class Scores:
    """log l and log (g + r) of points, each up to a constant, and the features of the points."""

    features: Array
    log_l: Array
    log_g: Array

    @property
    def now(self) -> Array:
        """The logarithm of the ratio."""
        return self.log_l - self.log_g

    def without(self, m: int) -> Scores:
        """The scores of all but the first m points."""
        return Scores(self.features[m:], self.log_l[m:], self.log_g[m:])


class Ratio:
    """l / (g + r).

    Args:
        below: mixture over the good trials, l.
        above: mixture over the bad trials, g.
        pending: rows of the pending trials, shape (k, d).
    """

    def __init__(self, below: Parzen, above: Parzen, pending: Array) -> None:
        self.below = below
        self._above = above
        self._pending = pending
        self._log_weight = float(np.log(_WEIGHT * above.w.sum() / below.w.sum()))

    def scores(self, X: Array) -> Scores:
        """The scores of rows X with the current pending trials."""
        features = Points.of(self.below.space, X).features()
        log_g = self._above.log_density(features)
        if len(self._pending):
            log_g = np.logaddexp(log_g, self._repulsion(self._pending, features))
        return Scores(features, self.below.log_density(features), log_g)

    def repelled(self, scores: Scores, row: Array) -> Scores:
        """Add a pending row, and return the scores with it."""
        self._pending = np.vstack([self._pending, row])
        repulsion = self._repulsion(row[None], scores.features)
        return replace(scores, log_g=np.logaddexp(scores.log_g, repulsion))

    def _repulsion(self, X: Array, features: Array) -> Array:
        """log r of pending rows X alone."""
        kernels = self.below.log_kernels(Points.of(self.below.space, X), features, _WIDTH)
        return self._log_weight + kernels
