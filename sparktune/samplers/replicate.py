"""The best points again: which of the evaluated points is the best is not what the smallest of
their noisy losses says, which is the luckiest.

The losses of all trials together, by a Gaussian process, say how low the loss of each point is
likely to be. Recommended is the point of the smallest mean. The points that may be the best are
evaluated again (`Replicate`), each time the one whose loss may be the lowest, as in a bandit (Auer
2002).

    mean, C   of the losses without noise at m evaluated points: (m,) and covariances (m, m)
    v         (m,)  variance of the noise there, on average over what is told
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
"""Results up to which the smallest loss is all that is known."""

_MOST = 50
"""Points at most that may be the best: those with the smallest losses."""

_KAPPA = 1.0
"""How many standard deviations below its mean the loss of a point may be."""

_NOISY = 0.02
"""Noise as a share of the signal's variance from which on it matters."""


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of the points that may be the best: `rows` (m,) of the history, the first of
    each point.
    """

    rows: NDArray[np.intp]
    X: Array
    mean: Array
    C: Array
    v: float
    noisy: bool

    @staticmethod
    def of(space: Space, history: View) -> Standing:
        """What a history tells, of at least one comparable result."""
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
        """What will be known after point i has been evaluated once more."""
        c = self.C[i]
        C = self.C - np.outer(c, c) / (c[i] + self.v)
        return Standing(self.rows, self.X, self.mean, C, self.v, self.noisy)

    @property
    def hopeful(self) -> int:
        """The point whose loss may be the lowest."""
        sd = np.sqrt(np.maximum(np.diag(self.C), 0.0))
        return int(np.argmin(self.mean - _KAPPA * sd))


def _first_of_each(X: Array, y: Array) -> NDArray[np.intp]:
    """Indices of the first row of each point, those with the smallest losses first."""
    _, first, which = np.unique(
        np.nan_to_num(X, nan=np.inf), axis=0, return_index=True, return_inverse=True
    )
    least = np.full(len(first), np.inf)
    np.minimum.at(least, which.reshape(-1), y)
    found: NDArray[np.intp] = first[np.argsort(least, kind="stable")]
    return found


def recommended(space: Space, history: View) -> int | None:
    """The row of a history that is most likely to be its best point: of the smallest mean of the
    posterior if losses are noisy, else of the smallest loss, the earliest of equals; None where no
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
    """A sampler, and behind its points the best of them again.

    Args:
        of: suggests new points: a sampler, or its name.
        after: how many trials are the sampler's. From then on the points that may be the best are
            evaluated again.
    """

    of: Sampler
    after: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", resolve(self.of, "of"))
        require(self, "after", is_whole(self.after) and self.after >= 1, "an integer >= 1")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). Where the sampler has no more points, the best ones follow; fewer
        rows only while there is no result.
        """
        trials = int((history.status != CODES[Status.CANCELLED]).sum())
        wanted = min(max(self.after - trials, 0), n)
        X = self.of.suggest(space, history, wanted, rng) if wanted else np.empty((0, len(space)))
        if len(X) == n or not len(space) or not history.comparable.any():
            return X
        with single_threaded():
            return np.vstack([X, *_again(Standing.of(space, history), history, n - len(X))])


def _again(standing: Standing, history: View, n: int) -> list[Array]:
    """n of the points, one after the other, with what runs already."""
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
