"""Repeated evaluation of the best points. With noise, the smallest observed loss belongs to the
luckiest point, which need not be the best.

A Gaussian process of all trials estimates the loss of each evaluated point. The point with the
smallest mean is recommended. `Replicate` evaluates again the points that may be the best, each time
the one with the lowest confidence bound, as in a bandit (Auer 2002).

    mean, C   of the losses without noise at m evaluated points: (m,) and covariances (m, m)
    v         variance of the noise, averaged over what is reported
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_whole
from sparktune.history import CODES, View
from sparktune.samplers import Sampler, gp
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._options import require, with_options
from sparktune.samplers._threads import single_threaded
from sparktune.samplers.algorithms import resolve
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.trial import Status

_FEW = 4
"""With this many results or fewer the point with the smallest loss is recommended."""

_MOST = 50
"""Largest number of points that may be the best: those with the smallest losses."""

_KAPPA = 1.0
"""How many standard deviations below its mean the confidence bound of a point lies."""

_NOISY = 0.02
"""Noise matters above this share of the signal's variance."""


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of the points that may be the best. `rows` (m,) are the first rows of these
    points in the history.
    """

    rows: NDArray[np.intp]
    X: Array
    mean: Array
    C: Array
    v: float
    noisy: bool

    @staticmethod
    def of(space: Space, history: View) -> Standing:
        """The standing after a history with at least one comparable result."""
        known = np.flatnonzero(history.comparable)
        X, y = history.X[known], history.loss[known]
        embedding = Embedding.of(space)
        process = gp.model_of(embedding, X, y, history.variance[known])
        first = _first_of_each(X, y)[:_MOST]
        mean, C = process.joint(embedding.features(X[first]))
        signal = process.prior_variances(process.Z).mean()
        noisy = bool(process.sn2 * process.shares.max() > _NOISY * signal)
        return Standing(known[first], X[first], mean, C, process.sn2 * process.scale**2, noisy)

    def after(self, i: int) -> Standing:
        """The standing after one more evaluation of point i, with an unchanged mean."""
        c = self.C[i]
        C = self.C - np.outer(c, c) / (c[i] + self.v)
        return Standing(self.rows, self.X, self.mean, C, self.v, self.noisy)

    @property
    def hopeful(self) -> int:
        """The point with the lowest confidence bound."""
        sd = np.sqrt(np.maximum(np.diag(self.C), 0.0))
        return int(np.argmin(self.mean - _KAPPA * sd))


def _first_of_each(X: Array, y: Array) -> NDArray[np.intp]:
    """Indices of the first row of each point, the smallest losses first."""
    _, first, which = np.unique(
        np.nan_to_num(X, nan=np.inf), axis=0, return_index=True, return_inverse=True
    )
    least = np.full(len(first), np.inf)
    np.minimum.at(least, which.reshape(-1), y)
    found: NDArray[np.intp] = first[np.argsort(least, kind="stable")]
    return found


def recommended(space: Space, history: View) -> int | None:
    """The row of a history that is likely to be its best point. With noisy losses it has the
    smallest posterior mean, else the smallest loss. The earliest of equals is returned; None if no
    trial has a usable loss.
    """
    known = np.flatnonzero(history.comparable)
    if not len(known):
        return None
    luckiest = int(known[np.argmin(history.loss[known])])
    if len(known) <= _FEW or not len(space):
        return luckiest
    with single_threaded():
        standing = Standing.of(space, history)
    return int(standing.rows[np.argmin(standing.mean)]) if standing.noisy else luckiest


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
        """n rows, shape (n, d). The best points also follow where the sampler has no more points.
        Fewer rows only while there are no results.
        """
        trials = int((history.status != CODES[Status.CANCELLED]).sum())
        wanted = min(max(self.after - trials, 0), n)
        X = self.of.suggest(space, history, wanted, rng) if wanted else np.empty((0, len(space)))
        if len(X) == n or not len(space) or not history.comparable.any():
            return X
        with single_threaded():
            return np.vstack([X, *_again(Standing.of(space, history), history, n - len(X))])


def _again(standing: Standing, history: View, n: int) -> list[Array]:
    """n of the points, chosen one after the other. Pending trials count."""
    for row in history.X[history.pending]:
        same = (row == standing.X) | (np.isnan(standing.X) & np.isnan(row))
        for running in np.flatnonzero(same.all(axis=1)):
            standing = standing.after(int(running))
    rows = []
    for _ in range(n):
        i = standing.hopeful
        rows.append(standing.X[i])
        standing = standing.after(i)
    return rows
