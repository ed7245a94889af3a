"""The columns of a space as arrays: what the density model of TPE computes with.

x    value as the objective's parameter sees it
z    latent value of a numeric column, in units of the prior: (latent - centre) / scale
h    width of the cell that a grid value stands for, in the same units; 0 off the grid
c    number of numeric columns
C    number of options of a categorical column
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sparktune.space.distributions import LARGEST_EXPONENT, Array, Categorical, Numeric
from sparktune.space.space import Space


@dataclass(frozen=True)
class Layout:
    """The columns of a space by kind, with their priors as arrays over the numeric columns, in
    units of z but for `floor` (of x).
    """

    space: Space
    priors: tuple[Numeric, ...]
    numeric: NDArray[np.intp]
    categorical: tuple[int, ...]
    options: tuple[Array, ...]  # prior probabilities of each categorical column
    centre: Array
    scale: Array
    low: Array
    high: Array
    logs: NDArray[np.intp]  # positions in `numeric` of the logarithmic parameters
    floor: Array  # of the logarithmic parameters: the smallest x whose logarithm is taken
    step: Array  # h, 0 on a logarithmic grid, where it differs from cell to cell
    curved: tuple[int, ...]  # positions in `numeric` of the logarithmic grids
    grid: NDArray[np.intp]  # positions in `numeric` of all grids
    q: Array  # of the grids
    parents: tuple[int, ...]  # columns that others depend on: choices
    support: tuple[Array, Array]  # smallest and largest x

    @staticmethod
    @lru_cache(maxsize=8)
    def of(space: Space) -> Layout:
        """The layout of a space, which is kept: a space never changes."""
        found = [(j, column.distribution) for j, column in enumerate(space.columns)]
        numbers = [(j, prior) for j, prior in found if isinstance(prior, Numeric)]
        priors = tuple(prior for _, prior in numbers)
        choices = [(j, prior) for j, prior in found if isinstance(prior, Categorical)]
        ranges = np.array([_range(prior) for prior in priors]).reshape(-1, 4)
        low, high, centre, scale = ranges.T
        logs = [i for i, prior in enumerate(priors) if prior.log]
        step = [prior.q if prior.q and not prior.log else 0.0 for prior in priors]
        return Layout(
            space,
            priors,
            np.array([j for j, _ in numbers], dtype=np.intp),
            tuple(j for j, _ in choices),
            tuple(np.array(prior.p) for _, prior in choices),
            centre,
            scale,
            (low - centre) / scale,
            (high - centre) / scale,
            np.array(logs, dtype=np.intp),
            np.array([_floor(priors[i]) for i in logs]),
            np.array(step) / scale,
            tuple(i for i in logs if priors[i].q),
            np.array([i for i, prior in enumerate(priors) if prior.q], dtype=np.intp),
            np.array([prior.q for prior in priors if prior.q]),
            tuple(sorted({j for column in space.columns for j, _ in column.conditions})),
            (
                np.array([prior.support[0] for prior in priors]),
                np.array([prior.support[1] for prior in priors]),
            ),
        )

    def points(self, X: Array) -> Points:
        """The rows X in latent values."""
        x = X[:, self.numeric]
        x[:, self.logs] = np.log(np.maximum(x[:, self.logs], self.floor))
        z = np.clip((x - self.centre) / self.scale, self.low, self.high)
        h = np.broadcast_to(self.step, z.shape)
        if self.curved:
            h = h.copy()
            for i in self.curved:
                low, high = self.priors[i].cell(X[:, self.numeric[i]])
                low = np.maximum(low, self.floor_of(i))
                z[:, i] = ((low + high) / 2 - self.centre[i]) / self.scale[i]
                h[:, i] = (high - low) / self.scale[i]
        return Points(self, X, z, h)

    def values(self, z: Array) -> Array:
        """The values x of the numeric columns at latent values z (n, c)."""
        x = z * self.scale + self.centre
        x[:, self.logs] = np.exp(np.minimum(x[:, self.logs], LARGEST_EXPONENT))
        x[:, self.grid] = np.round(x[:, self.grid] / self.q) * self.q
        kept: Array = np.clip(x, *self.support) + 0.0  # + 0.0 turns -0.0 into 0.0
        return kept

    def floor_of(self, i: int) -> float:
        """The logarithm of the floor of logarithmic column i."""
        return float(np.log(self.floor[np.searchsorted(self.logs, i)]))


def _range(prior: Numeric) -> tuple[float, float, float, float]:
    """(low, high, centre, scale) of the latent values. A bounded grid that is not logarithmic
    reaches to the ends of its outer cells, so that all cells are of one width.
    """
    if prior.normal:
        return prior.low, prior.high, *prior.normal
    low, high = prior.low, prior.high
    if prior.q and not prior.log:
        low, high = prior.support[0] - prior.q / 2, prior.support[1] + prior.q / 2
    return low, high, (low + high) / 2, high - low


def _floor(prior: Numeric) -> float:
    """The smallest x of a logarithmic parameter whose logarithm is taken. On a grid x may be 0; its
    cell, which has no lower end, is cut there.
    """
    least = np.exp(prior.low) if np.isfinite(prior.low) else (prior.q or 0.0) / 16
    return max(float(least), 1e-300)


@dataclass(frozen=True)
class Points:
    """Rows of a space in latent values; z is NaN where inactive."""

    layout: Layout
    X: Array
    z: Array
    h: Array

    def features(self) -> Array:
        """What the log density is linear in, shape (M, 3 c + sum of C): z^2, z and 1 for active
        numeric columns, and 1 for the options taken.
        """
        active = ~np.isnan(self.z)
        z = np.where(active, self.z, 0.0)
        taken = [
            self.X[:, j, None] == np.arange(len(p))
            for j, p in zip(self.layout.categorical, self.layout.options, strict=True)
        ]
        return np.concatenate([z**2, z, active, *taken], axis=1)
