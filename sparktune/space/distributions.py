"""The distributions of the two kinds of parameters, each over one float64 column.

Notation, here and in the samplers:

    x       value that the objective receives (the index of the option for a categorical)
    z       latent value: log(x) for log parameters, else x; priors are uniform or normal in z
    u       position in (0, 1): z = inverse cdf of the prior at u
    q       grid width: x is the multiple of q nearest to the unrounded value (ties to even)
    low, high    bounds of z (infinite for a normal prior)

A grid value represents its cell [x - q/2, x + q/2], cut at the bounds. Hence the end values of
`quniform` on a grid that includes the bounds have half the probability of the others, and
`quniform(1, 10, 4)` gives 0, 4 or 8, as in Hyperopt.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

LARGEST_EXPONENT = float(np.log(np.finfo(float).max))  # exp of a larger float is infinite


def ndtr(z: Array) -> Array:
    """The standard normal cdf. scipy is imported at the first call."""
    from scipy.special import ndtr as cdf

    result: Array = cdf(z)
    return result


def ndtri(u: Array) -> Array:
    """The inverse of the standard normal cdf. scipy is imported at the first call."""
    from scipy.special import ndtri as inverse

    result: Array = inverse(u)
    return result


@dataclass(frozen=True)
class Numeric:
    """A numeric parameter. Its prior in latent space is uniform on [low, high], or normal with
    `normal` = (mu, sigma). A latent value is exponentiated if `log`, rounded to multiples of `q`,
    and converted to int if `integer`.
    """

    low: float
    high: float
    log: bool = False
    q: float | None = None
    integer: bool = False
    normal: tuple[float, float] | None = None

    def __str__(self) -> str:
        if self.integer:
            return "integers {:g} to {:g}".format(*self.support)
        name = "normal" if self.normal else "uniform"
        numbers = self.normal or (self.low, self.high)
        name = f"{'q' if self.q else ''}{'log' if self.log else ''}{name}"
        step = f", q={self.q:g}" if self.q else ""
        return f"{name}({numbers[0]:g}, {numbers[1]:g}{step})"

    @property
    def centre(self) -> float:
        """The mean of the prior in latent space."""
        return self.normal[0] if self.normal else (self.low + self.high) / 2

    @property
    def scale(self) -> float:
        """The width of the prior in latent space: sigma, or high - low."""
        return self.normal[1] if self.normal else self.high - self.low

    @cached_property
    def support(self) -> tuple[float, float]:
        """(smallest, largest) value x."""
        low, high = np.exp((self.low, self.high)) if self.log else (self.low, self.high)
        if self.q:
            low, high = np.floor(low / self.q + 0.5) * self.q, np.ceil(high / self.q - 0.5) * self.q
        return float(low), float(high)

    @property
    def size(self) -> float:
        """The number of distinct values; infinite without a grid."""
        return (self.support[1] - self.support[0]) / self.q + 1 if self.q else float("inf")

    def ppf(self, u: Array) -> Array:
        """The values x at prior probabilities u."""
        if self.normal:
            inside = np.clip(u, 2.0**-54, 1 - 2.0**-53)  # 0 and 1 would give infinite values
            return self.from_latent(self.normal[0] + self.normal[1] * ndtri(inside))
        return self.from_latent(self.low + (self.high - self.low) * u)

    def from_latent(self, z: Array) -> Array:
        """The values x at latent values z: exponentiated, rounded, and clipped to the support."""
        x = np.exp(np.minimum(z, LARGEST_EXPONENT)) if self.log else np.asarray(z, dtype=np.float64)
        if self.q:
            x = np.round(x / self.q) * self.q
        low, high = self.support
        kept: Array = np.minimum(np.maximum(x, low), high) + 0.0  # + 0.0 turns -0.0 into 0.0
        return kept

    def to_latent(self, x: Array) -> Array:
        """The latent values z of values x, clipped to the bounds. For x = 0 on a logarithmic grid,
        z is the logarithm of a small positive number.
        """
        if not self.log:
            return np.clip(x, self.low, self.high)
        floor = np.exp(self.low) if np.isfinite(self.low) else (self.q or 0.0) / 4
        return np.minimum(np.log(np.maximum(x, max(floor, 1e-300))), self.high)

    def cell(self, x: Array) -> tuple[Array, Array]:
        """(lower, upper) bounds of the cells of grid values x, as latent values."""
        half = (self.q or 0.0) / 2
        low, high = x - half, x + half
        if self.log:
            with np.errstate(divide="ignore"):
                low, high = np.log(np.maximum(low, 0.0)), np.log(high)
        return np.clip(low, self.low, self.high), np.clip(high, self.low, self.high)

    def scalar(self, x: float) -> int | float:
        """The value x as the Python scalar of a record: an int if `integer`, else a float."""
        return int(x) if self.integer else float(x)


@dataclass(frozen=True)
class Categorical:
    """A choice of len(p) options, where option k has the prior probability p[k]; x is the index of
    the option.
    """

    p: tuple[float, ...]

    def __str__(self) -> str:
        equal = len(set(self.p)) == 1
        return f"choice of {len(self.p)}" + ("" if equal else f" with {[*self.p]}")

    @property
    def size(self) -> float:
        """The number of options."""
        return len(self.p)

    @property
    def support(self) -> tuple[float, float]:
        """(smallest, largest) index."""
        return 0.0, len(self.p) - 1.0

    def ppf(self, u: Array) -> Array:
        """The indices at prior probabilities u. Options of probability 0 never occur."""
        edges, last = self._edges
        index: Array = edges.searchsorted(u * edges[-1], side="right").astype(float)
        return np.minimum(index, last)

    @cached_property
    def _edges(self) -> tuple[Array, float]:
        """The cumulative probabilities, and the last index whose option has one."""
        return np.cumsum(self.p), float(np.max(np.flatnonzero(self.p)))

    def scalar(self, x: float) -> int:
        """The index x as the int of a record."""
        return int(x)


Distribution: TypeAlias = Numeric | Categorical
