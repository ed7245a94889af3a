"""How well hyperparameters of a Gaussian process explain observations: the negative logarithm of
their posterior density, with its gradient (Rasmussen and Williams 2006, eqs. 5.8 and 5.9).

    theta     (g + 3,)   log l (g,), log sf2, log st2, log sn2
    l         (g,)       lengths of the kernel's groups
    sf2, st2, sn2        variances of the signal, of the weights of its trend, and of the noise
    T         (n, q)     effects of the trend (`_trend`)
    c         (n,)       the noise of each observation as a share of sn2, 1 where none is reported
    K         (n, n)     sf2 k + st2 T T^T + sn2 diag(c)
    L         (n, n)     its lower Cholesky factor
    alpha     (n,)       K^-1 y
    W         (n, n)     K^-1 - alpha alpha^T

Priors, all normal in the logarithm. The length's grows with the number of groups as distances do
(Hvarfner et al. 2024, arXiv:2402.02229). The lengths have a common part m, because few observations
show one length for all groups sooner than one for each.

    log l     N(m, 0.5^2), m ~ N(log 0.5 + 1/2 log g, 0.7^2)
    log sf2   N(0, 1), as the observations are standardised
    log st2   N(log 0.5, 1.5^2)
    log sn2   N(log 0.005, 1.5^2), or around the reported variance

A reported variance gives the shape of the noise, and where its size is likely to be. The size is
inferred. A report that is too large therefore does no harm. Folds that are the same for all
observations give such reports: a hard fold is hard for all, and makes no difference between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.surrogates import Array
from sparktune.surrogates._kernel import with_slope
from sparktune.surrogates._trend import Trend

LEAST_NOISE = 1e-8
"""Smallest noise variance, which also keeps K positive definite."""

_LENGTH = (log(0.5), 0.5)
_COMMON = 0.7
"""The standard deviation of m."""

_SIGNAL = (0.0, 1.0)
_TREND = (log(0.5), 1.5)
_NO_TREND = -14.0
"""log st2 of a process without a trend."""

_NOISE = (log(0.005), 1.5)
_SHAPE = 1e4
"""How many times as large or small as usual the noise of an observation can be."""

_REACH = 8.0
"""How far theta may be from the centre of its prior."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of observations y (n,) at rows Z (n, p).

    `noise` is the known variance of the noise, if any. `told` (n,) is the reported variance of each
    observation, NaN where there is none. `known_trend` replaces the trend of the rows; with `flat`
    there is none.
    """

    Z: Array
    y: Array
    groups: NDArray[np.intp]
    noise: float | None = None
    told: Array | None = None
    known_trend: Trend | None = None
    flat: bool = False

    @cached_property
    def usual(self) -> float | None:
        """The median of the reported variances; None if there are none."""
        if self.told is None or np.isnan(self.told).all():
            return None
        return float(np.clip(np.nanmedian(self.told), LEAST_NOISE, 1.0))

    @cached_property
    def shares(self) -> Array:
        """c."""
        if self.told is None or self.usual is None:
            return np.ones(len(self.y))
        told: Array = np.nan_to_num(self.told / self.usual, nan=1.0)
        return np.clip(told, 1 / _SHAPE, _SHAPE)

    @property
    def centre(self) -> Array:
        """The mode of the prior, shape (g + 3,)."""
        g = self.size
        lengths = np.full(g, _LENGTH[0] + 0.5 * log(max(g, 1)))
        usual = _NOISE[0] if self.usual is None else log(self.usual)
        noise = usual if self.noise is None else log(max(self.noise, LEAST_NOISE))
        trend = _NO_TREND if self.flat else _TREND[0]
        return np.append(lengths, [_SIGNAL[0], trend, noise])

    @cached_property
    def trend(self) -> Trend:
        """The trend that T is of."""
        return self.known_trend or Trend.of(self.Z, self.groups)

    @cached_property
    def trended(self) -> Array:
        """T T^T."""
        T = self.trend.effects(self.Z)
        found: Array = T @ T.T
        return found

    @property
    def size(self) -> int:
        """The number of groups."""
        return int(self.groups.max(initial=-1)) + 1

    def bounds(self) -> list[tuple[float, float]]:
        """Where theta may be."""
        found = [(each - _REACH, each + _REACH) for each in self.centre.tolist()]
        found[-1] = (log(LEAST_NOISE), found[-1][1])
        if self.flat:
            found[-2] = (_NO_TREND, _NO_TREND)
        if self.noise is not None:
            found[-1] = (self.centre[-1], self.centre[-1])
        return found

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """The negative log density of theta, up to a constant, and its gradient."""
        n, g = len(self.y), self.size
        A = self.Z / np.exp(theta[:g])[self.groups]
        sf2, st2, sn2 = np.exp(theta[g:])
        k, slope = with_slope(A, A)
        L = factor(sf2 * k + st2 * self.trended, sn2 * self.shares)
        inverse = inverted(L)
        alpha = inverse @ self.y
        W = inverse - np.outer(alpha, alpha)
        G = W * slope
        by_feature = G.sum(axis=1) @ A**2 - (A * (G @ A)).sum(axis=0)
        lengths = sf2 * np.bincount(self.groups, by_feature, minlength=g)
        noise = 0.5 * sn2 * float(np.diag(W) @ self.shares)
        signal, trend = 0.5 * sf2 * (W * k).sum(), 0.5 * st2 * (W * self.trended).sum()
        value = 0.5 * self.y @ alpha + np.log(np.diag(L)).sum() + 0.5 * n * log(2 * np.pi)
        prior, pull = self._prior(theta)
        return float(value + prior), np.append(lengths, [signal, trend, noise]) + pull

    def _prior(self, theta: Array) -> tuple[float, Array]:
        """The negative log density of the prior, up to a constant, and its gradient."""
        g = self.size
        sd = np.append(np.full(g, _LENGTH[1]), [_SIGNAL[1], _TREND[1], _NOISE[1]])
        t = theta - self.centre
        pull = t / sd**2
        # The inverse of the covariance v I + c 1 1^T is (I - 1 1^T / (v / c + g)) / v.
        pull[:g] -= pull[:g].sum() / ((_LENGTH[1] / _COMMON) ** 2 + g)
        return 0.5 * float(t @ pull), pull


def factor(K: Array, noise: float | Array) -> Array:
    """The lower Cholesky factor of K + diag(noise), with more noise if it needs some."""
    from scipy.linalg.lapack import dpotrf

    K = K.copy()
    diagonal = np.diag(K).copy()
    for jitter in (0.0, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2):
        K.flat[:: len(K) + 1] = diagonal * (1 + jitter) + noise
        L, failed = dpotrf(K, lower=1, clean=1)
        if not failed:
            return L  # type: ignore[no-any-return]
    raise np.linalg.LinAlgError("the covariances are not finite")


def inverted(L: Array) -> Array:
    """The inverse of L L^T."""
    from scipy.linalg.lapack import dpotri

    half, _ = dpotri(L, lower=1)
    full: Array = half + np.tril(half, -1).T
    return full


def solved(L: Array, B: Array, *, transposed: bool = False) -> Array:
    """L^-1 B, or L^-T B."""
    from scipy.linalg import solve_triangular

    if not B.size:  # SciPy 1.11 refuses it
        return B
    X: Array = solve_triangular(L, B, lower=True, trans=int(transposed), check_finite=False)
    return X


def minimised(evidence: Evidence, start: Array, steps: int) -> tuple[float, Array]:
    """The smallest value that L-BFGS meets from `start`, and where."""
    from scipy.optimize import minimize

    best: list[Any] = [np.inf, start]

    def value(theta: Array) -> tuple[float, Array]:
        found, gradient = evidence(theta)
        if found < best[0]:
            best[:] = [found, theta.copy()]
        return found, gradient

    options = {"maxiter": steps, "maxfun": 2 * steps, "gtol": 1e-2, "ftol": 1e-6}
    minimize(value, start, jac=True, method="L-BFGS-B", bounds=evidence.bounds(), options=options)
    return best[0], best[1]
