"""TPE as in Hyperopt 0.3.0, for users who must reproduce its suggestions.

Each parameter has two densities of its own: l over its values in the trials with the smallest
losses, and g over its values in all others. Of `n_EI_candidates` draws from l the one with the
largest l / g is suggested. Unlike in `tpe`,

    - pending trials and those with status "fail" have the loss +inf, and count for the start-up and
      for N; those that raised, crashed, ran too long or were cancelled are left out;
    - min(ceil(gamma * sqrt(N)), 25) trials of N are good, whether they have ended or not;
    - the parameters of a point come from different candidates, scored one by one;
    - of more than 25 observations, the older count less;
    - `hp.randint` is an unordered choice;
    - n points at once are drawn independently of each other.

Notation (K kernels = observations + 1 for the prior):

    z          latent values of a numeric parameter
    w, mu, s   (K,)  weights, sum 1, means, in ascending order, and bandwidths of the kernels
    x          candidates, shape (points, n_EI_candidates)

There are two differences. Hyperopt sorts equal values in an arbitrary order; here, of equal losses
the earlier trial is better, and of equal observations the earlier one comes first. The loss of a
trial with status "fail" counts in Hyperopt, but not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_real, is_whole
from sparktune.history import CODES, View
from sparktune.samplers._options import require, with_options
from sparktune.space.columns import Column
from sparktune.space.distributions import (
    Array,
    Categorical,
    Distribution,
    Numeric,
    ndtr,
    ndtri,
)
from sparktune.space.space import Space
from sparktune.trial import Status

_FORGET_AFTER = 25  # observations of full weight
_MOST_GOOD = 25
_SMALLEST = 1e-12  # stands for 0 on a logarithmic grid
_MIN_MASS = 1e-300
_UNKNOWN = [  # ends that Hyperopt's history leaves out
    CODES[status] for status in Status if not (status.pending or status.returned)
]


@dataclass(frozen=True)
class TPEHyperopt:
    """Hyperopt's tree-structured Parzen estimator.

    Args:
        prior_weight: weight of the prior's kernel against 1 for each observation.
        n_startup_jobs: trials, pending ones included, before the model takes over from random
            draws.
        n_EI_candidates: draws for each parameter, of which the best is suggested.
        gamma: factor of the number of good trials, ceil(gamma * sqrt(N)), at most 25.
    """

    prior_weight: float = 1.0
    n_startup_jobs: int = 20
    n_EI_candidates: int = 24
    gamma: float = 0.25

    def __post_init__(self) -> None:
        weight, startup, draws = self.prior_weight, self.n_startup_jobs, self.n_EI_candidates
        require(self, "prior_weight", is_real(weight) and 0 < weight < np.inf, "a number > 0")
        require(self, "n_startup_jobs", is_whole(startup) and startup >= 0, "an integer >= 0")
        require(self, "n_EI_candidates", is_whole(draws) and draws >= 1, "an integer >= 1")
        require(self, "gamma", is_real(self.gamma) and 0 < self.gamma < np.inf, "a number > 0")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d), independent of each other."""
        good, others = self.split(history)
        if len(good) + len(others) < self.n_startup_jobs:
            return space.sample(rng, n)
        X = np.empty((n, len(space)))
        for j, column in enumerate(space.columns):
            below, above = (
                _model(column, x[~np.isnan(x)], self.prior_weight)
                for x in (history.X[good, j], history.X[others, j])
            )
            candidates = below.sample(rng, (n, self.n_EI_candidates))
            score = below.log_density(candidates) - above.log_density(candidates)
            X[:, j] = candidates[np.arange(n), np.argmax(score, axis=1)]
        return space.masked(X)

    def split(self, history: View) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the good trials, and of all others that count, oldest first."""
        known = np.flatnonzero(~np.isin(history.status, _UNKNOWN))
        loss = np.where(history.ok, history.loss, np.inf)[known]
        by_loss = known[np.argsort(loss, kind="stable")]
        n_good = min(ceil(self.gamma * sqrt(len(known))), _MOST_GOOD)
        return np.sort(by_loss[:n_good]), np.sort(by_loss[n_good:])


@dataclass(frozen=True)
class _Kernels:
    """Normal kernels over the latent values of a number, cut off at its bounds."""

    prior: Numeric
    w: Array
    mu: Array
    s: Array

    def sample(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Draws by the inverse cdf, as from the mixture with what is out of bounds drawn again."""
        low, high = (
            ndtr((bound - self.mu) / self.s) for bound in (self.prior.low, self.prior.high)
        )
        inside = self.w * (high - low)
        k = rng.choice(len(self.w), size=shape, p=inside / inside.sum())
        u = np.clip(low[k] + (high - low)[k] * rng.random(shape), 1e-16, 1 - 1e-16)
        z = np.clip(self.mu[k] + self.s[k] * ndtri(u), self.prior.low, self.prior.high)
        return self.prior.from_latent(z)

    def log_density(self, x: Array) -> Array:
        """log density of x, up to a constant."""
        if self.prior.q:
            cell = self.prior.cell(x)
            if self.prior.log:  # kernels at 0 lose half their mass, as in Hyperopt
                cell = np.maximum(cell[0], np.log(_SMALLEST)), cell[1]
            edges = [(edge[..., None] - self.mu) / self.s for edge in cell]
            mass = (ndtr(edges[1]) - ndtr(edges[0])) @ self.w
            return np.log(np.maximum(mass, _MIN_MASS))
        z = _latent(self.prior, x)[..., None]
        parts = np.log(self.w / self.s) - ((z - self.mu) / self.s) ** 2 / 2
        largest = parts.max(axis=-1, keepdims=True)  # keeps exp from vanishing
        density: Array = np.log(np.exp(parts - largest).sum(axis=-1)) + largest[..., 0]
        return density


@dataclass(frozen=True)
class _Options:
    """Weighted counts of the options observed, and pseudo-counts in proportion to the prior."""

    prior: Distribution
    observed: Array  # (K,), ascending
    counts: Array  # (K,)
    pseudo: float  # sum of the pseudo-counts

    def sample(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Draws from the observed options or from the prior, each by its share."""
        edges = np.cumsum(self.counts)
        total = self.counts.sum()
        place = rng.random(shape) * (total + self.pseudo)
        x = self.prior.ppf(rng.random(shape))
        known = place < total
        at = np.searchsorted(edges[:-1], place[known], side="right")
        x[known] = self.observed[at]
        return x

    def log_density(self, x: Array) -> Array:
        """log probability of x, up to a constant."""
        prior = self.prior
        count = np.full(x.shape, self.pseudo / prior.size)
        if isinstance(prior, Categorical):
            count = self.pseudo * np.array(prior.p)[x.astype(int)]
        if len(self.observed):
            at = np.minimum(np.searchsorted(self.observed, x), len(self.observed) - 1)
            count += np.where(self.observed[at] == x, self.counts[at], 0.0)
        result: Array = np.log(np.maximum(count, _MIN_MASS))
        return result


def _model(column: Column, x: Array, prior_weight: float) -> _Kernels | _Options:
    """The density of a parameter after the observations x, oldest first."""
    prior = column.distribution
    if isinstance(prior, Numeric) and column.prior != "randint":
        z = _latent(prior, x)
        return _Kernels(prior, *_parzen(z, prior_weight, prior.centre, prior.scale))
    observed, back = np.unique(np.clip(x, *prior.support), return_inverse=True)
    counts = np.bincount(back, _weights(len(x)), len(observed)).astype(np.float64)
    return _Options(prior, observed, counts, prior_weight * prior.size)


def _latent(prior: Numeric, x: Array) -> Array:
    """z for x; what was rounded below the range of a logarithmic grid is its lower end, what was
    rounded out of another range stays there.
    """
    if not prior.log:
        return x
    floor = max(_SMALLEST, np.exp(prior.low)) if prior.q else 5e-324  # exp may have given 0
    return np.log(np.maximum(x, floor))


def _weights(n: int) -> Array:
    """Weights of n observations, oldest first: a ramp from 1 / n up to 1, and 1 for the last 25."""
    ramp = np.linspace(1 / max(n, 1), 1.0, max(n - _FORGET_AFTER, 0))
    return np.append(ramp, np.ones(min(n, _FORGET_AFTER)))


def _parzen(z: Array, prior_weight: float, mu0: float, s0: float) -> tuple[Array, Array, Array]:
    """w, mu, s of the kernels around observations z, oldest first, and around the prior's mean.

    A kernel is as wide as the larger of the gaps to its neighbours, the prior's mean among them,
    within s0 / min(100, K + 1) and s0 (Bergstra et al. 2011, section 4); that of a single
    observation is half as wide as the prior.
    """
    order = np.argsort(z, kind="stable")
    place = np.searchsorted(z[order], mu0)
    mu = np.insert(z[order], place, mu0)
    w = np.insert(_weights(len(z))[order], place, prior_weight)
    gaps = np.diff(mu) if len(z) > 1 else np.full(len(z), s0 / 2)
    s = np.maximum(np.append(gaps[:1], gaps), np.append(gaps, gaps[-1:])) if len(z) else mu * 0
    s = np.clip(s, s0 / min(100, len(mu) + 1), s0)
    s[place] = s0
    return w / w.sum(), mu, s


suggest = TPEHyperopt()
"""Hyperopt's TPE with its defaults: `fmin(..., algo=tpe_hyperopt.suggest)`."""
