"""Repeated evaluation of the best points. With noise, the smallest observed loss belongs to the
luckiest point, which need not be the best (`standing`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktune.arguments import is_whole
from sparktune.history import CODES, View
from sparktune.samplers import Sampler
from sparktune.samplers._options import require, with_options
from sparktune.samplers.algorithms import resolve
from sparktune.samplers.standing import Standing
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.trial import Status


@dataclass(frozen=True)
class Replicate:
    """A sampler whose best points are evaluated again afterwards.

    Args:
        of: the sampler of new points, or its name.
        after: number of trials that the sampler suggests. Later trials evaluate again the points
            that may be the best.
    """

    of: Sampler
    after: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", resolve(self.of, "of"))
        require(self, "after", is_whole(self.after) and self.after >= 1, "an integer >= 1")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). The best points follow as well if the sampler has no more points.
        Fewer rows only before the first usable result.
        """
        trials = int((history.status != CODES[Status.CANCELLED]).sum())
        wanted = min(max(self.after - trials, 0), n)
        if not (wanted or history.comparable.any() or history.pending.any()):
            wanted = n  # all trials have failed
        X = self.of.suggest(space, history, wanted, rng) if wanted else np.empty((0, len(space)))
        if len(X) == n or not len(space) or not history.comparable.any():
            return X
        standing = Standing.of(space, history).running(history.X[history.pending])
        return np.vstack([X, standing.again(n - len(X))])
