"""A Gaussian process with a Matern-5/2 kernel (`_kernel`) and a trend (`_trend`; Rasmussen and
Williams 2006, chapters 2 and 5).

All features are real numbers, and distances are Euclidean. Features of one group share a length:
the two of an angle, say, or those of an option, one of which is sqrt(1/2) and the others 0, so that
different options are at distance 1.

The hyperparameters are the mode of their posterior (`_evidence`). Up to 60 observations they are
found again with each one, then with every twentieth part more. The search starts where the one for
10, 20, 40, ..., 320 of the observations ended; so a fit is a pure function of the observations,
whatever fits came before it, and is quick if they did.

    Z       (n, p)     rows of features
    y       (n,)       observations, infinite where one failed
    theta   (g + 3,)   hyperparameters (`_evidence`)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import InvalidArgument
from sparktune.surrogates import Array
from sparktune.surrogates._evidence import Evidence, minimised
from sparktune.surrogates._process import Process
from sparktune.surrogates._slices import draws
from sparktune.surrogates.warping import centred, warped_with_slope

MOST = 300
"""Observations at most that a process is made of."""

_SEARCHED = 200
"""Observations at most by which hyperparameters are found."""

_BEST, _NEAR = 0.2, 0.5
"""Of too many observations, the shares of the best ones, and of those near the best one; the rest
are spread evenly over the others.
"""

_ALL, _GROWTH = 60, 1.05
_FIRST, _LAST = 10, 320
_STEPS_FIRST, _STEPS_LATER = 40, 15


@dataclass(frozen=True)
class GP:
    """A Gaussian process.

    Args:
        groups: for each feature the index of its length, 0, 1, ...; without it each feature has a
            length of its own.
        warp: whether observations are losses, of which the small ones matter (`warping`). The
            posterior then describes the warped ones, which have mean 0 and variance 1.
        noise: known variance of the noise, as a share of the observations' variance. None: the
            variance is inferred.
        trend: whether the trend is a part of the process. Without it the process knows distances
            only.
    """

    groups: tuple[int, ...] | None = None
    warp: bool = False
    noise: float | None = None
    trend: bool = True

    def fit(
        self,
        Z: Array,
        y: Array,
        rng: np.random.Generator | None = None,
        variance: Array | None = None,
    ) -> Process:
        """The posterior after observing y (n,) at the rows of Z (n, p).

        An infinite observation is one that failed; it counts as worse than the worst. Of more than
        300 observations the best are used, those near the best one, and some of the others.

        Args:
            rng: not used; a fit depends on the observations alone.
            variance: the reported variance of each observation's noise, shape (n,), in squared
                units of y, NaN where none is reported. It gives the shape of the noise, and where
                its size is likely to be (`_evidence`).

        Raises:
            InvalidArgument: Z and y do not fit together, or hold NaN.
        """
        theta = self._found(Z, y, variance)
        evidence, offset, scale = self._evidence(Z, y, variance, MOST)
        return Process.of(evidence, evidence.centre if theta is None else theta, offset, scale)

    def draws(
        self,
        Z: Array,
        y: Array,
        count: int,
        rng: np.random.Generator,
        variance: Array | None = None,
    ) -> list[Process]:
        """`count` posteriors as by `fit`, with hyperparameters drawn from their posterior (Snoek et
        al. 2012, arXiv:1206.2944, section 3.1).

        Raises:
            InvalidArgument: Z and y do not fit together, or hold NaN.
        """
        theta = self._found(Z, y, variance)
        part, _, _ = self._evidence(Z, y, variance, _SEARCHED)
        evidence, offset, scale = self._evidence(Z, y, variance, MOST)
        thetas = draws(part, evidence.centre if theta is None else theta, count, rng)
        return [Process.of(evidence, each, offset, scale) for each in thetas]

    def _found(self, Z: Array, y: Array, variance: Array | None) -> Array | None:
        """The mode of the hyperparameters; None before there are two observations."""
        _check(Z, y, self.groups)
        theta: Array | None = None
        for m in _sizes(len(y)):
            told = None if variance is None else variance[:m]
            part, _, _ = self._evidence(Z[:m], y[:m], told, _SEARCHED)
            theta = _mode(_Search(part, theta, m))
        return theta

    def _evidence(
        self, Z: Array, y: Array, variance: Array | None, most: int
    ) -> tuple[Evidence, float, float]:
        """The evidence of at most `most` of these observations, their offset and their scale."""
        if self.warp:
            (scaled, slope), offset, scale = warped_with_slope(y), 0.0, 1.0
        else:
            scaled, offset, scale = centred(y)
            slope = np.full(len(y), 1 / scale)
        kept = subset(Z, scaled, most)
        groups = np.arange(Z.shape[1]) if self.groups is None else np.array(self.groups)
        told = None
        if variance is not None:
            with np.errstate(over="ignore"):  # an infinite variance is larger than all others
                told = (variance * slope**2)[kept]
        evidence = Evidence(
            Z[kept], scaled[kept], groups.astype(np.intp), self.noise, told, flat=not self.trend
        )
        return evidence, offset, scale


def subset(Z: Array, y: Array, most: int) -> NDArray[np.intp]:
    """Indices of at most `most` observations, in ascending order."""
    n = len(y)
    if n <= most:
        return np.arange(n)
    order = np.argsort(y, kind="stable")
    chosen = np.zeros(n, dtype=bool)
    chosen[order[: int(_BEST * most)]] = True
    far = ((Z - Z[order[0]]) ** 2).sum(axis=1) + np.where(chosen, np.inf, 0.0)
    chosen[np.argsort(far, kind="stable")[: int(_NEAR * most)]] = True
    others = np.flatnonzero(~chosen)
    places = np.linspace(0, len(others) - 1, most - int(chosen.sum()))
    chosen[others[places.astype(int)]] = True
    return np.flatnonzero(chosen)


@dataclass(frozen=True, eq=False)
class _Search:
    """A search for the mode of the first `size` observations; two with one digest are equal."""

    evidence: Evidence
    start: Array | None
    size: int

    @cached_property
    def digest(self) -> bytes:
        """Changes with everything that the search depends on."""
        e, start = self.evidence, np.empty(0) if self.start is None else self.start
        found = hashlib.sha1(repr((e.Z.shape, e.noise, self.size)).encode())
        for array in (e.Z, e.y, e.groups, e.shares, e.centre, start):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Search) and self.digest == other.digest


@lru_cache(maxsize=32)
def _mode(search: _Search) -> Array:
    """The hyperparameters with the largest posterior density."""
    evidence, start = search.evidence, search.start
    if start is not None and not _doubled(search.size):
        return minimised(evidence, start, _STEPS_LATER)[1]
    starts = [evidence.centre] if start is None else [evidence.centre, start]
    found = [minimised(evidence, each, _STEPS_FIRST) for each in starts]
    return min(found, key=lambda each: each[0])[1]


def _sizes(n: int) -> list[int]:
    """The numbers of observations for which the hyperparameters are found in turn, up to n."""
    doubled = [_FIRST * 2**i for i in range((_LAST // _FIRST).bit_length())]
    last = n
    if n > _ALL:
        last = _ALL
        while (more := int(np.ceil(last * _GROWTH))) <= n:
            last = more
    return [m for m in doubled if m < last] + [last] * (last >= 2)


def _doubled(n: int) -> bool:
    """Whether n is one of 10, 20, 40, ..., 320."""
    return n <= _LAST and n % _FIRST == 0 and (n // _FIRST).bit_count() == 1


def _check(Z: Array, y: Array, groups: tuple[int, ...] | None) -> None:
    """
    Raises:
        InvalidArgument: Z and y do not fit together, or hold NaN.
    """
    if Z.ndim != 2 or y.shape != (len(Z),) or np.isnan(y).any() or not np.isfinite(Z).all():
        raise InvalidArgument(
            "a Gaussian process is fitted to finite rows Z, shape (n, p), and one observation for "
            f"each, shape (n,), that is not NaN; got {Z.shape} and {y.shape}"
        )
    if groups is not None and len(groups) != Z.shape[1]:
        raise InvalidArgument(f"there are {len(groups)} groups for {Z.shape[1]} features")
