"""What is known of the points that may be the best. With noise the smallest observed loss belongs
to the luckiest point, which need not be the best.

A Gaussian process of all losses says what is expected of a point from those around it. Each point
also has an effect of its own: what the process cannot explain, but would come back if the point
were evaluated again. From single evaluations nothing tells this effect from noise, so each gets a
share of what is not explained. Evaluations again tell: the noise is what differs between them.

    y         (N,)    warped losses; c (N,) the noise of each as a multiple of v, 1 where not told
    mean, C   of the losses without noise at m evaluated points: (m,) and covariances (m, m)
    sn2       variance of what the process does not explain
    t2        variance of the effects of single points, OWN sn2
    S         (N, N)  1 where two losses are of one point
    v         variance of the noise of one evaluation, ((1 - OWN) sn2 + SS) / (1 + dof), or SS / dof
              if that is almost nothing and dof is at least 3
    SS        squared differences of losses from the mean of their point, over c
    dof       how many of them are independent: evaluations less points
    k         covariances of the process; K = k + t2 S + v diag(c)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparktune.history import View
from sparktune.samplers import gp
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._threads import single_threaded
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.surrogates._evidence import LEAST_NOISE, factor, solved

_FEW = 30
"""With fewer results the process cannot tell noise from what it does not know. If they are of one
evaluation each, and none tells its noise, the point with the smallest loss is recommended.
"""

_MOST = 50
"""Largest number of points that may be the best: those with the smallest losses."""

_KAPPA = 1.0
"""How many standard deviations the confidence bounds of a point lie from its mean."""

_OWN = 0.5
"""OWN, see above."""

_SEVERAL, _SAME = 3, 1e-4
"""After this many evaluations again there is no noise if their variance is at most this small."""


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of m points. `rows` (m,) are their first rows in the history, X (m, d) the
    points themselves.
    """

    rows: NDArray[np.intp]
    X: Array
    mean: Array
    C: Array
    v: float

    @staticmethod
    def of(space: Space, history: View) -> Standing:
        """The standing after a history with at least one comparable result, in one thread."""
        with single_threaded():
            return Standing._of(space, history)

    @staticmethod
    def _of(space: Space, history: View) -> Standing:
        known = np.flatnonzero(history.comparable)
        X, y = history.X[known], history.loss[known]
        embedding = Embedding.of(space)
        process = gp.model_of(embedding, X, y, history.variance[known])
        first = _first_of_each(X, y)[:_MOST]
        Z = embedding.features(X[first])
        _, which = np.unique(process.Z, axis=0, return_inverse=True)
        which = which.reshape(-1)
        v = _noise_of(process.y, process.shares, which, (1 - _OWN) * process.sn2)
        t2 = _OWN * process.sn2
        same = (process.Z[:, None] == Z).all(axis=2)
        k = process.prior_covariance(process.Z, process.Z) + t2 * (which[:, None] == which)
        L = factor(k, v * process.shares)
        V = solved(L, process.covariance(Z) + t2 * same)
        C = process.prior_covariance(Z, Z) + t2 * np.eye(len(Z)) - V.T @ V
        return Standing(known[first], X[first], V.T @ solved(L, process.y), C, v)

    def after(self, i: int) -> Standing:
        """The standing after one more evaluation of point i, with an unchanged mean."""
        c = self.C[i]
        return replace(self, C=self.C - np.outer(c, c) / (c[i] + self.v))

    def running(self, X: Array) -> Standing:
        """The standing after evaluations of the points X (n, d), with an unchanged mean; of others
        nothing becomes known.
        """
        standing = self
        for row in X:
            same = (row == self.X) | (np.isnan(self.X) & np.isnan(row))
            for i in np.flatnonzero(same.all(axis=1)):
                standing = standing.after(int(i))
        return standing

    def again(self, n: int) -> Array:
        """n of the points to evaluate again, shape (n, d), chosen one after the other: each has the
        lowest confidence bound, as in a bandit (Auer 2002).
        """
        standing, chosen = self, []
        for _ in range(n):
            chosen.append(int(np.argmin(standing.mean - _KAPPA * standing.sd)))
            standing = standing.after(chosen[-1])
        return self.X[chosen]

    @property
    def surest(self) -> int:
        """The point with the lowest upper confidence bound."""
        return int(np.argmin(self.mean + _KAPPA * self.sd))

    @property
    def sd(self) -> Array:
        """Standard deviations of the losses without noise, (m,)."""
        found: Array = np.sqrt(np.maximum(np.diag(self.C), 0.0))
        return found


def _first_of_each(X: Array, y: Array) -> NDArray[np.intp]:
    """Indices of the first row of each point, the smallest losses first."""
    _, first, which = np.unique(
        np.nan_to_num(X, nan=np.inf), axis=0, return_index=True, return_inverse=True
    )
    least = np.full(len(first), np.inf)
    np.minimum.at(least, which.reshape(-1), y)
    found: NDArray[np.intp] = first[np.argsort(least, kind="stable")]
    return found


def _noise_of(y: Array, shares: Array, which: NDArray[np.intp], expected: float) -> float:
    """v of losses y (N,) at the points `which` (N,). What is expected counts as one evaluation
    again; not if several of them told that there is no noise.
    """
    weight = np.bincount(which, 1 / shares)
    means = np.bincount(which, y / shares) / weight
    differences = float(((y - means[which]) ** 2 / shares).sum())
    dof = len(y) - len(weight)
    if dof >= _SEVERAL and differences <= _SAME * dof:
        return max(differences / dof, LEAST_NOISE)
    return (expected + differences) / (1 + dof)


def recommended(space: Space, history: View) -> int | None:
    """The row of a history that is likely to be its best point: the first row of the point with the
    lowest upper confidence bound, but the luckiest while nothing tells how large the noise is. Of
    equal points it is the one with the smallest loss; None if no trial has a usable loss.
    """
    known = np.flatnonzero(history.comparable)
    if not len(known):
        return None
    X, y = history.X[known], history.loss[known]
    told = np.isfinite(history.variance[known]).any() or len(_first_of_each(X, y)) < len(known)
    if not len(space) or (len(known) < _FEW and not told):
        return int(known[np.argmin(y)])
    standing = Standing.of(space, history)
    return int(standing.rows[standing.surest])
