"""The two kinds of parameter, as distributions over one float64 column.

Notation, here and in the samplers:

    x       value as the objective's parameter sees it (an index for a categorical)
    z       latent value: log(x) for log parameters, else x; priors are uniform or normal in z
    u       position in (0, 1): z = inverse cdf of the prior at u
    q       grid width: x is a multiple of q, the one nearest to the unrounded value (ties to even)
    low, high    bounds of z (infinite for a normal prior)

A grid value stands for its cell [x - q/2, x + q/2], cut at the bounds. Hence the end values of
`quniform` on a grid that includes the bounds have half the mass of the others, and `quniform(1, 10,
4)` gives 0, 4 or 8, as in Hyperopt.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

LARGEST_EXPONENT = float(np.log(np.finfo(float).max))  # a normal prior has no bounds, and exp has


def ndtr(z: Array) -> Array:
    """The standard normal cdf; scipy is imported at its first use."""
    from scipy.special import ndtr as cdf

    result: Array = cdf(z)
    return result


def ndtri(u: Array) -> Array:
    """The inverse of the standard normal cdf; scipy is imported at its first use."""
    from scipy.special import ndtri as inverse

    result: Array = inverse(u)
    return result


@dataclass(frozen=True)
class Numeric:
    """A number with a uniform prior on [low, high], or a normal one if `normal` = (mu, sigma) is
    given, in latent space; exponentiated if `log`, rounded to multiples of `q`, handed out as int
    if `integer`.
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
        """Mean of the prior in latent space."""
        return self.normal[0] if self.normal else (self.low + self.high) / 2

    @property
    def scale(self) -> float:
        """Width of the prior in latent space: sigma, or the length of the range."""
        return self.normal[1] if self.normal else self.high - self.low

    @cached_property
    def support(self) -> tuple[float, float]:
        """Smallest and largest x."""
        low, high = np.exp((self.low, self.high)) if self.log else (self.low, self.high)
        if self.q:
            low, high = np.floor(low / self.q + 0.5) * self.q, np.ceil(high / self.q - 0.5) * self.q
        return float(low), float(high)

    @property
    def size(self) -> float:
        """Number of different values; infinite if there is no grid."""
        return (self.support[1] - self.support[0]) / self.q + 1 if self.q else float("inf")

    def ppf(self, u: Array) -> Array:
        """x at prior probability u."""
        if self.normal:
            inside = np.clip(u, 2.0**-54, 1 - 2.0**-53)  # 0 and 1 would be infinite
            return self.from_latent(self.normal[0] + self.normal[1] * ndtri(inside))
        return self.from_latent(self.low + (self.high - self.low) * u)

    def from_latent(self, z: Array) -> Array:
        """x for z: exponentiated, rounded to the grid, kept in the support."""
        x = np.exp(np.minimum(z, LARGEST_EXPONENT)) if self.log else np.asarray(z, dtype=np.float64)
        if self.q:
            x = np.round(x / self.q) * self.q
        low, high = self.support
        kept: Array = np.minimum(np.maximum(x, low), high) + 0.0  # + 0.0 turns -0.0 into 0.0
        return kept

    def to_latent(self, x: Array) -> Array:
        """z for x, kept in the bounds (x = 0 on a logarithmic grid has no logarithm)."""
        if not self.log:
            return np.clip(x, self.low, self.high)
        floor = np.exp(self.low) if np.isfinite(self.low) else (self.q or 0.0) / 4
        return np.minimum(np.log(np.maximum(x, max(floor, 1e-300))), self.high)

    def cell(self, x: Array) -> tuple[Array, Array]:
        """Bounds in z of the cells that the grid values x stand for."""
        half = (self.q or 0.0) / 2
        low, high = x - half, x + half
        if self.log:
            with np.errstate(divide="ignore"):
                low, high = np.log(np.maximum(low, 0.0)), np.log(high)
        return np.clip(low, self.low, self.high), np.clip(high, self.low, self.high)

    def scalar(self, x: float) -> int | float:
        """x as the Python scalar that records hold."""
        return int(x) if self.integer else float(x)


@dataclass(frozen=True)
class Categorical:
    """One of len(p) options, option k with prior probability p[k]; x is the option's index."""

    p: tuple[float, ...]

    def __str__(self) -> str:
        equal = len(set(self.p)) == 1
        return f"choice of {len(self.p)}" + ("" if equal else f" with {[*self.p]}")

    @property
    def size(self) -> float:
        """Number of options."""
        return len(self.p)

    @property
    def support(self) -> tuple[float, float]:
        """Smallest and largest index."""
        return 0.0, len(self.p) - 1.0

    def ppf(self, u: Array) -> Array:
        """Index at prior probability u; options of probability 0 never occur."""
        edges = np.cumsum(self.p)
        last = float(np.max(np.flatnonzero(self.p)))
        index: Array = np.searchsorted(edges, u * edges[-1], side="right").astype(float)
        return np.minimum(index, last)

    def scalar(self, x: float) -> int:
        """x as the Python scalar that records hold."""
        return int(x)


Distribution: TypeAlias = Numeric | Categorical
