"""The posterior of a Gaussian process with known hyperparameters (Rasmussen and Williams 2006,
eqs. 2.23 to 2.27 and 5.12).

    Z, X     (n, p), (m, p)   rows of features: the observed ones, and others
    A, B     (n, p), (m, p)   these rows in units of their lengths
    L        (n, n)           Cholesky factor of the observations' covariance, noise included
    alpha    (n,)             K^-1 y
    kx       (n, m)           covariances of f at the n rows with f at m others
    V        (n, m)           L^-1 kx
    mean     (m,)             kx^T alpha
    prior    (m,)             sf2 + st2 sum of T^2: the variance of f before anything is observed
    var      (m,)             prior - sum of V^2
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sparktune.surrogates import Array
from sparktune.surrogates._evidence import LEAST_NOISE, Evidence, factor, inverted, solved
from sparktune.surrogates._kernel import correlation, with_slope
from sparktune.surrogates._trend import Trend


@dataclass(frozen=True, eq=False)
class Process:
    """The posterior of a Gaussian process. `lengths` (p,) are those of the features, `sf2`, `st2`
    and `sn2` the variances of signal, trend and noise, `shares` (n,) how many times the latter each
    observation has; `y` are the observations, in units of `scale` from `offset`, as are the
    variances. T are the effects of `trend`.
    """

    Z: Array
    y: Array
    L: Array
    alpha: Array
    lengths: Array
    trend: Trend
    sf2: float
    st2: float
    sn2: float
    shares: Array
    offset: float
    scale: float

    @staticmethod
    def of(evidence: Evidence, theta: Array, offset: float, scale: float) -> Process:
        """The posterior of these observations with hyperparameters theta."""
        g = evidence.size
        lengths = np.exp(theta[:g])[evidence.groups]
        sf2, st2, sn2 = (float(each) for each in np.exp(theta[g:]))
        A = evidence.Z / lengths
        L = factor(sf2 * correlation(A, A) + st2 * evidence.trended, sn2 * evidence.shares)
        alpha = solved(L, solved(L, evidence.y), transposed=True)
        return Process(
            evidence.Z, evidence.y, L, alpha, lengths, evidence.trend, sf2, st2, sn2,
            evidence.shares, offset, scale,
        )  # fmt: skip

    @property
    def fitted(self) -> Array:
        """The mean of f at the observed rows, shape (n,)."""
        noise = self.sn2 * self.shares * self.alpha[: len(self.y)]
        found: Array = self.offset + self.scale * (self.y - noise)
        return found

    def covariance(self, X: Array) -> Array:
        """kx of the rows X (m, p), shape (n, m)."""
        return self.prior_covariance(self.Z, X)

    def prior_covariance(self, Z: Array, X: Array) -> Array:
        """The covariances of f at rows Z (n, p) and X (m, p) before anything was observed, in units
        of `scale` squared, shape (n, m).
        """
        k = correlation(Z / self.lengths, X / self.lengths)
        k *= self.sf2
        k += self.st2 * self.trend.effects(Z) @ self.trend.effects(X).T
        return k

    def prior_variances(self, X: Array) -> Array:
        """`prior` at the rows X (m, p)."""
        found: Array = self.sf2 + self.st2 * (self.trend.effects(X) ** 2).sum(axis=1)
        return found

    def predict(self, Z: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f, both (m,), at the rows of Z (m, p)."""
        kx = self.covariance(Z)
        return self._mean(kx), self.deviations(solved(self.L, kx), Z)

    def mean(self, Z: Array) -> Array:
        """The mean of f at the rows of Z (m, p), shape (m,)."""
        return self._mean(self.covariance(Z))

    def doubts(self, Z: Array) -> Array:
        """The prior standard deviations of f at the rows of Z (m, p), shape (m,)."""
        found: Array = self.scale * np.sqrt(self.prior_variances(Z))
        return found

    def _mean(self, kx: Array) -> Array:
        mean: Array = self.offset + self.scale * (kx.T @ self.alpha)
        return mean

    def whitened(self, Z: Array) -> Array:
        """V of the rows Z (m, p), shape (n, m)."""
        return solved(self.L, self.covariance(Z))

    def extended(self, V: Array, Z: Array) -> Array:
        """V of the rows Z, from their V before the last row was believed."""
        kx = self.prior_covariance(self.Z[-1:], Z)
        last = (kx - self.L[-1:, :-1] @ V) / self.L[-1, -1]
        return np.vstack([V, last])

    def deviations(self, V: Array, Z: Array) -> Array:
        """The standard deviations of f at the rows of Z (m, p) whose V (n, m) is known, (m,)."""
        var = self.prior_variances(Z) - np.einsum("ij,ij->j", V, V)
        sd: Array = self.scale * np.sqrt(np.maximum(var, 1e-12 * self.sf2))
        return sd

    def gradients(self, z: Array) -> tuple[float, float, Array, Array]:
        """Mean and standard deviation of f at z (p,), and their gradients (p,)."""
        b, T, t = z / self.lengths, self.trend.effects(self.Z), self.trend.effects(z[None])[0]
        k, slope = with_slope(self._scaled, b[None])
        kx = self.sf2 * k[:, 0] + self.st2 * (T @ t)
        weights = self.inverse @ kx
        prior = self.sf2 + self.st2 * float(t @ t)
        sd = np.sqrt(max(prior - float(kx @ weights), 1e-12 * self.sf2))
        # dkx_i/dz = -sf2 slope_i (b - a_i) / lengths + st2 (T_i dt/dz)
        d = -self.sf2 * slope * (b - self._scaled) / self.lengths
        d += self.st2 * self.trend.slopes(T, z)
        half = self.st2 * self.trend.slopes(t[None], z)[0]
        return (
            self.offset + self.scale * float(kx @ self.alpha),
            self.scale * float(sd),
            self.scale * (self.alpha @ d),
            self.scale * (half - weights @ d) / sd,
        )

    @cached_property
    def _scaled(self) -> Array:
        """A."""
        return self.Z / self.lengths

    @cached_property
    def inverse(self) -> Array:
        """K^-1, shape (n, n)."""
        return inverted(self.L)

    def joint(self, Z: Array) -> tuple[Array, Array]:
        """Mean and covariances of f at the rows of Z (m, p) together, (m,) and (m, m)."""
        kx = self.covariance(Z)
        V = solved(self.L, kx)
        covariances: Array = self.prior_covariance(Z, Z) - V.T @ V
        return self._mean(kx), self.scale**2 * covariances

    def sample(self, Z: Array, n: int, rng: np.random.Generator) -> Array:
        """n draws of f at the rows of Z (m, p) together, shape (n, m)."""
        mean, covariances = self.joint(Z)
        L = factor(covariances, 1e-10 * self.scale**2 * self.sf2)
        found: Array = mean + (L @ rng.standard_normal((len(Z), n))).T
        return found

    def residuals(self) -> Array:
        """Each observation less its prediction from the others, in standard deviations of that
        prediction, shape (n,). The hyperparameters are those from all observations.
        """
        return self.alpha / np.sqrt(np.diag(self.inverse))

    def believing(self, Z: Array) -> Process:
        """The posterior if f had its expected values at the rows of Z (m, p). The mean stays the
        same. The standard deviation becomes 0 there, and smaller nearby.
        """
        if not len(Z):
            return self
        return self._extended(Z, LEAST_NOISE * self.sf2)

    def observing(self, Z: Array, y: Array) -> Process:
        """The posterior after y (m,) has also been observed at the rows of Z (m, p), with unchanged
        hyperparameters.
        """
        if not len(Z):
            return self
        wider = self._extended(Z, self.sn2)
        before = self.L @ (self.L.T @ self.alpha)  # the observations that alpha is of
        known = np.append(before, (y - self.offset) / self.scale)
        return replace(wider, alpha=solved(wider.L, solved(wider.L, known), transposed=True))

    def _extended(self, Z: Array, noise: float) -> Process:
        """The process with more rows Z (m, p), whose part of alpha is 0."""
        n, m = len(self.Z), len(Z)
        V = solved(self.L, self.covariance(Z))
        L = np.zeros((n + m, n + m))
        L[:n, :n], L[n:, :n] = self.L, V.T
        L[n:, n:] = factor(self.prior_covariance(Z, Z) - V.T @ V, noise)
        alpha = np.append(self.alpha, np.zeros(m))
        return replace(self, Z=np.vstack([self.Z, Z]), L=L, alpha=alpha)
