"""A mixture of product kernels over a conditional, mixed space: the density model of TPE.

Notation (M points, K kernels = observations + 1 for the prior, d columns of which c numeric):

    X      (M, d)  rows of the space, NaN where inactive
    z      latent values of the numeric columns, in units of the prior: (latent - centre) / scale
    mu, s  (K, c)  centres and bandwidths of the numeric kernels, in the same units
    w      (K,)    weights of the kernels, sum 1
    P      (K, C)  for each categorical column: probability of each option under each kernel

A parameter that was inactive in an observation has the prior's kernel there, so that the density of
any row is the sum over k of w_k times the product, over the row's active parameters, of the
kernels' densities (Watanabe 2023, arXiv:2304.11127, eq. 7-9, extended to conditional parameters).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktune.space.distributions import Array, Categorical, Numeric, ndtr, ndtri
from sparktune.space.space import Space

_MIN_MASS = 1e-300


@dataclass(frozen=True)
class Layout:
    """The columns of a space by kind, with their priors as arrays."""

    space: Space
    numeric: list[int]
    categorical: list[int]
    centre: Array
    scale: Array
    low: Array
    high: Array
    grid: list[int]  # positions in `numeric` of the parameters on a grid

    @staticmethod
    def of(space: Space) -> Layout:
        """The layout of a space."""
        priors = [column.distribution for column in space.columns]
        numbers = [(j, prior) for j, prior in enumerate(priors) if isinstance(prior, Numeric)]
        centre = np.array([prior.centre for _, prior in numbers])
        scale = np.array([prior.scale for _, prior in numbers])
        return Layout(
            space,
            [j for j, _ in numbers],
            [j for j, prior in enumerate(priors) if isinstance(prior, Categorical)],
            centre,
            scale,
            (np.array([prior.low for _, prior in numbers]) - centre) / scale,
            (np.array([prior.high for _, prior in numbers]) - centre) / scale,
            [i for i, (_, prior) in enumerate(numbers) if prior.q],
        )

    def prior(self, i: int) -> Numeric:
        """The prior of the i-th numeric column."""
        distribution = self.space.columns[self.numeric[i]].distribution
        assert isinstance(distribution, Numeric)  # by construction of `numeric`
        return distribution

    def options(self, j: int) -> Array:
        """Prior probabilities of categorical column j."""
        distribution = self.space.columns[j].distribution
        assert isinstance(distribution, Categorical)  # by construction of `categorical`
        return np.array(distribution.p)

    def standardised(self, X: Array) -> Array:
        """z of the numeric columns, NaN where inactive."""
        Z = np.empty((len(X), len(self.numeric)))
        for i, j in enumerate(self.numeric):
            Z[:, i] = self.prior(i).to_latent(X[:, j])
        return (Z - self.centre) / self.scale


@dataclass(frozen=True)
class Parzen:
    """A fitted mixture."""

    layout: Layout
    w: Array
    mu: Array
    s: Array
    P: list[Array]

    @staticmethod
    def fit(layout: Layout, X: Array, w: Array, prior_weight: float) -> Parzen:
        """The mixture over observations X with weights w and one kernel for the prior, of weight
        `prior_weight`.
        """
        Z = layout.standardised(X)
        mu = np.vstack([np.nan_to_num(Z, nan=0.0), np.zeros(Z.shape[1])])
        weights = np.append(w, prior_weight)
        P = [
            _option_probabilities(layout.options(j), X[:, j], prior_weight)
            for j in layout.categorical
        ]
        return Parzen(layout, weights / weights.sum(), mu, _bandwidths(Z), P)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """n rows: one kernel is drawn for each, then every parameter from it; inactive ones become
        NaN.
        """
        layout = self.layout
        k = rng.choice(len(self.w), size=n, p=self.w)
        X = np.empty((n, len(layout.space)))
        mu, s = self.mu[k], self.s[k]
        a, b = ndtr((layout.low - mu) / s), ndtr((layout.high - mu) / s)
        u = np.clip(a + (b - a) * rng.random(mu.shape), 1e-16, 1 - 1e-16)
        Z = np.clip(mu + s * ndtri(u), layout.low, layout.high) * layout.scale + layout.centre
        for i, j in enumerate(layout.numeric):
            X[:, j] = layout.prior(i).from_latent(Z[:, i])
        for j, P in zip(layout.categorical, self.P, strict=True):
            above = np.cumsum(P[k], axis=1) < rng.random((n, 1))
            X[:, j] = np.minimum(above.sum(axis=1), P.shape[1] - 1)
        return layout.space.masked(X)

    def log_density(self, X: Array) -> Array:
        """log density (M,) of rows X, up to a constant per set of active parameters."""
        from scipy.special import logsumexp

        total = self._log_numeric(X) + np.log(self.w)
        for j, P in zip(self.layout.categorical, self.P, strict=True):
            active = ~np.isnan(X[:, j])
            with np.errstate(divide="ignore"):
                total[active] += np.log(P[:, X[active, j].astype(int)]).T
        result: Array = logsumexp(total, axis=1)
        return result

    def _log_numeric(self, X: Array) -> Array:
        """Sum over the active numeric columns of log kernel densities, shape (M, K).

        Off the grid, ((z - mu) / s)^2 is expanded so that the sum over columns is three matrix
        products.
        """
        layout = self.layout
        Z = layout.standardised(X)
        active = ~np.isnan(Z)
        mass = np.maximum(
            ndtr((layout.high - self.mu) / self.s) - ndtr((layout.low - self.mu) / self.s),
            _MIN_MASS,
        )
        total: Array = -active.astype(float) @ np.log(mass).T
        on_grid = np.zeros(Z.shape[1], dtype=bool)
        on_grid[layout.grid] = True
        smooth = active & ~on_grid
        z, precision = np.where(smooth, Z, 0.0), 1 / self.s**2
        square = (
            z**2 @ precision.T
            - 2 * z @ (self.mu * precision).T
            + smooth @ (self.mu**2 * precision + 2 * np.log(self.s)).T
        )
        total = total - square / 2
        for i in layout.grid:
            rows = np.flatnonzero(active[:, i])
            total[rows] += self._log_cells(i, X[rows, layout.numeric[i]])
        return total

    def _log_cells(self, i: int, x: Array) -> Array:
        """log mass, shape (len(x), K), of the cells around values x of numeric column i."""
        layout = self.layout
        values, back = np.unique(x, return_inverse=True)
        edges = [
            (edge - layout.centre[i]) / layout.scale[i] for edge in layout.prior(i).cell(values)
        ]
        below, above = ((edge[:, None] - self.mu[:, i]) / self.s[:, i] for edge in edges)
        mass: Array = np.log(np.maximum(ndtr(above) - ndtr(below), _MIN_MASS))
        return mass[back]


def _bandwidths(Z: Array) -> Array:
    """Bandwidths (n + 1, c) of the observations Z (n, c; NaN inactive) and, last, of the prior.

    Each kernel is as wide as the larger gap to its neighbours, the prior's mean counting as one
    (Bergstra et al. 2011, section 4), within [1 / min(100, n + 2), 1]: Optuna's "magic clip" in
    units of the prior.
    """
    n = len(Z)
    with_prior = np.vstack([Z, np.zeros(Z.shape[1])])
    order = np.argsort(with_prior, axis=0, kind="stable")  # NaN last
    ranked = np.take_along_axis(with_prior, order, axis=0)
    gaps = np.diff(ranked, axis=0)
    nothing = np.full((1, Z.shape[1]), np.nan)
    widest = np.fmax(np.vstack([nothing, gaps]), np.vstack([gaps, nothing]))
    s = np.empty_like(with_prior)
    np.put_along_axis(s, order, np.nan_to_num(widest, nan=1.0), axis=0)
    s = np.clip(s, 1 / min(100, n + 2), 1.0)
    s[-1] = 1.0
    return s


def _option_probabilities(prior: Array, x: Array, prior_weight: float) -> Array:
    """P (n + 1, C): each observation's option smoothed by the prior; the prior alone in the last
    row and where the parameter was inactive.
    """
    n = len(x)
    P = np.tile(prior * len(prior) * prior_weight / (n + 1), (n + 1, 1))
    P[n] = prior
    active = np.flatnonzero(~np.isnan(x))
    P[active, x[active].astype(int)] += 1.0
    normalised: Array = P / P.sum(axis=1, keepdims=True)
    return normalised
