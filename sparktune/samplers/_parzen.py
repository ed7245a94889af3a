"""A mixture of product kernels over a conditional, mixed space: the density model of TPE.

Notation (M points, K kernels = observations + 1 for the prior, d columns of which c numeric):

    X      (M, d)  rows of the space, NaN where inactive
    z      latent values of the numeric columns, in units of the prior: (latent - centre) / scale
    h      width of the cell that a grid value stands for, in the same units; 0 off the grid
    mu, s  (K, c)  centres and bandwidths of the numeric kernels, in the same units
    w      (K,)    weights of the kernels
    P      (K, C)  for each categorical column: probability of each option under each kernel

A parameter that was inactive in an observation has the prior's kernel there, so that the density of
any row is the sum over k of w_k times the product, over the row's active parameters, of the
kernels' densities (Watanabe 2023, arXiv:2304.11127, eq. 7-9, extended to conditional parameters).

On a grid a kernel is spread over the cell of its value: its density is that of a normal variable
plus a uniform one of width h, taken as normal with the variance s^2 + h^2 / 12. The log density of
a row is then, on every column, a quadratic function of z, so that the log densities of many rows
under many kernels are one matrix product: of `Points.features` and `Parzen.coefficients`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sparktune.samplers._points import Points
from sparktune.space.distributions import Array, ndtr, ndtri
from sparktune.space.layout import Layout
from sparktune.space.space import Space

_MIN_MASS = 1e-300
_LEAST_OF_CELL = 0.3
"""Smallest bandwidth on a grid, as a share of the cell."""

_SMOOTHING = 4.0
"""Weight of the prior in the choices of all observations together, as a multiple of the number of
options: with n observations it is 4 C / (n + 1) in each. With a smaller weight, runs stay in the
first good branch of a conditional space.
"""

_MAX_LOGS = 2**14  # log densities that are summed at once: as many as stay in the cache

_MAX_PRODUCT = 2**18
"""Multiplications in one matrix product. OpenBLAS takes more than one thread for larger ones, and
these would compete with trials that run on this machine.
"""


@dataclass(frozen=True)
class Parzen:
    """A fitted mixture; the sum of the weights may differ from 1."""

    space: Space
    w: Array
    kernels: Kernels

    @staticmethod
    def fit(points: Points, w: Array, prior_weight: float) -> Parzen:
        """The mixture of a kernel for each observation, with weights w (n,), and a last kernel for
        the prior, with weight `prior_weight`.
        """
        layout, c = points.space.layout, points.z.shape[1]
        prior_P = tuple(p[None] for p in layout.options)
        prior = Kernels(np.zeros((1, c)), np.ones((1, c)), layout.step[None], prior_P)
        smoothing = _SMOOTHING * prior_weight / (len(w) + 1)
        observed = Kernels.at(points, bandwidths(points), smoothing)
        return Parzen(points.space, np.append(w, prior_weight), observed.followed_by(prior))

    @cached_property
    def coefficients(self) -> Array:
        """The coefficients of the kernels. `log_choices` does not need them."""
        return self.kernels.coefficients(self.space.layout)

    def log_kernels(self, points: Points, features: Array, width: float = 1.0) -> Array:
        """log density (M,), on the scale of `log_density`, of kernels with weight 1 at further
        observations. They are `width` times as wide as the narrowest of the mixture.
        """
        smoothing = _SMOOTHING * float(self.w[-1]) / len(self.w)
        s = np.broadcast_to(width * self.kernels.s.min(axis=0), points.z.shape)
        return log_sums(features, Kernels.at(points, s, smoothing).coefficients(self.space.layout))

    def sample(
        self, rng: np.random.Generator, n: int, given: Mapping[int, int] | None = None
    ) -> Array:
        """n rows, shape (n, d), with the options `given` for some categorical columns. One kernel
        is drawn for each row. In every second row, each categorical parameter has a kernel of its
        own, so that options of different good trials are combined. Inactive parameters are NaN.
        """
        layout, kernels, w, given = self.space.layout, self.kernels, self.w, given or {}
        for j, P in zip(layout.categorical, kernels.P, strict=True):
            w = w * P[:, given[j]] if j in given else w
        k, *others = rng.choice(len(w), size=(1 + len(kernels.P), n), p=w / w.sum())
        X = np.empty((n, len(self.space)))
        mu, s = kernels.mu[k], kernels.s[k]
        a, b = ndtr((layout.low - mu) / s), ndtr((layout.high - mu) / s)
        u = np.clip(a + (b - a) * rng.random(mu.shape), 1e-16, 1 - 1e-16)
        X[:, layout.numeric] = layout.values(np.clip(mu + s * ndtri(u), layout.low, layout.high))
        for j, P, other in zip(layout.categorical, kernels.P, others, strict=True):
            other[::2] = k[::2]
            above = np.cumsum(P[other], axis=1) < rng.random((n, 1))
            X[:, j] = given.get(j, np.minimum(above.sum(axis=1), P.shape[1] - 1))
        return self.space.masked(X)

    def log_choices(self, X: Array, columns: Sequence[int]) -> Array:
        """log probability (M,) of the options of the rows X in these categorical columns."""
        total = np.zeros((len(X), len(self.w)))
        for j, P in zip(self.space.layout.categorical, self.kernels.P, strict=True):
            if j in columns:
                active = np.flatnonzero(~np.isnan(X[:, j]))
                total[active] += np.log(P[:, X[active, j].astype(int)].T)
        probability: Array = np.exp(total) @ (self.w / self.w.sum())
        return np.log(probability)

    def log_density(self, features: Array) -> Array:
        """log density (M,) of points, up to a constant per set of active parameters and the
        logarithm of the sum of the weights.
        """
        return log_sums(features, self.coefficients, np.log(self.w))


def log_sums(F: Array, G: Array, log_w: Array | float = 0.0) -> Array:
    """The logarithm of the sum over k of exp(F @ G.T + log_w)[:, k], shape (len(F),)."""
    total = np.empty(len(F))
    rows = max(_MAX_LOGS // len(G), 1)
    for i in range(0, len(F), rows):
        logs = product(F[i : i + rows], G) + log_w
        largest = logs.max(axis=1)
        total[i : i + rows] = largest + np.log(np.exp(logs - largest[:, None]).sum(axis=1))
    return total


@dataclass(frozen=True)
class Kernels:
    """The parameters of kernels: arrays (K, c), and for each categorical column (K, C)."""

    mu: Array
    s: Array
    h: Array
    P: tuple[Array, ...]

    @staticmethod
    def at(points: Points, s: Array, smoothing: float) -> Kernels:
        """A kernel of bandwidths s at each point, and the prior's where a parameter is inactive."""
        layout, inactive = points.space.layout, np.isnan(points.z)
        return Kernels(
            np.where(inactive, 0.0, points.z),
            np.where(inactive, 1.0, s),
            np.where(inactive, 0.0, points.h),
            tuple(
                option_probabilities(p, points.X[:, j], smoothing)
                for j, p in zip(layout.categorical, layout.options, strict=True)
            ),
        )

    def followed_by(self, other: Kernels) -> Kernels:
        """These kernels and others."""
        return Kernels(
            np.concatenate([self.mu, other.mu]),
            np.concatenate([self.s, other.s]),
            np.concatenate([self.h, other.h]),
            tuple(np.concatenate(pair) for pair in zip(self.P, other.P, strict=True)),
        )

    def coefficients(self, layout: Layout) -> Array:
        """The coefficients of each kernel's log density for `Points.features`, shape
        (K, 3 c + sum of C).
        """
        mu, s, (n, c) = self.mu, self.s, self.mu.shape
        mass = ndtr((layout.high - mu) / s) - ndtr((layout.low - mu) / s)
        precision = 1 / (s**2 + self.h**2 / 12)
        G = np.empty((n, 3 * c + sum(P.shape[1] for P in self.P)))
        square, linear, constant = (G[:, i * c : (i + 1) * c] for i in range(3))
        np.multiply(precision, -0.5, out=square)
        np.multiply(precision, mu, out=linear)
        np.log(np.sqrt(precision) / np.maximum(mass, _MIN_MASS), out=constant)
        constant -= mu * linear / 2
        for P, end in zip(self.P, np.cumsum([P.shape[1] for P in self.P]), strict=True):
            G[:, 3 * c + end - P.shape[1] : 3 * c + end] = np.log(np.maximum(P, _MIN_MASS))
        return G


def product(F: Array, G: Array) -> Array:
    """F @ G.T in pieces that BLAS computes on one thread."""
    size = max(_MAX_PRODUCT // max(F.size, 1), 1)
    pieces = [F @ G[k : k + size].T for k in range(0, len(G), size)]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)


def bandwidths(points: Points) -> Array:
    """Bandwidths (n, c) of the observations: the same for all, by Scott's rule.

    They are the standard deviation of the m values of a parameter, the prior counting as one of
    them, times m^(-1 / (D + 4)), where D is the mean number of active parameters. None is wider
    than the prior, nor narrower than 1 / min(100, n + 2) of it (the "magic clip", Bergstra et al.
    2011), nor than `_LEAST_OF_CELL` of the cell on a grid.
    """
    z, n = points.z, len(points.z)
    active = ~np.isnan(z)
    m = active.sum(axis=0) + 1
    mean = np.where(active, z, 0.0).sum(axis=0) / m
    squares = np.where(active, z - mean, 0.0) ** 2
    spread = np.where(np.isinf(points.space.layout.high), 1.0, 1 / np.sqrt(12))
    deviation = np.sqrt((squares.sum(axis=0) + mean**2 + spread**2) / m)
    D = np.count_nonzero(~np.isnan(points.X)) / max(n, 1)
    s = np.clip(deviation * m ** (-1 / (D + 4)), 1 / min(100, n + 2), 1.0)
    widths: Array = np.maximum(s, _LEAST_OF_CELL * points.h)
    return widths


def option_probabilities(prior: Array, x: Array, smoothing: float) -> Array:
    """P (n, C): each observation's option smoothed by the prior, whose C options share a weight of
    `smoothing` C against 1; the prior alone where the parameter was inactive.
    """
    weight = prior * len(prior) * smoothing
    P = np.tile(weight / weight.sum(), (len(x), 1))
    active = np.flatnonzero(~np.isnan(x))
    P[active] = weight
    P[active, x[active].astype(int)] += 1.0
    normalised: Array = P / P.sum(axis=1, keepdims=True)
    return normalised
