"""The columns of a space as arrays, for models: conversions of rows to latent values and to points
of the unit cube, for all columns at once.

x    value that the objective receives
z    latent value of a numeric column, in units of the prior: (latent - centre) / scale
h    width of the cell of a grid value, in the same units; 0 without a grid
c    number of numeric columns
C    number of options of a categorical column
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparktune.space.columns import Column
from sparktune.space.distributions import LARGEST_EXPONENT, Array, Categorical, Numeric, ndtr


@dataclass(frozen=True)
class Layout:
    """The columns of a space by kind, with the priors of the numeric columns as arrays. Arrays are
    in units of z, except `floor` and `support`, which are values x.
    """

    priors: tuple[Numeric, ...]
    numeric: NDArray[np.intp]
    categorical: tuple[int, ...]
    options: tuple[Array, ...]  # prior probabilities of each categorical column
    centre: Array
    scale: Array
    low: Array
    high: Array
    logs: NDArray[np.intp]  # positions in `numeric` of the logarithmic parameters
    floor: Array  # lower bound of x of the logarithmic parameters, before taking the logarithm
    step: Array  # h; 0 on a logarithmic grid, where it differs between cells
    curved: tuple[int, ...]  # positions in `numeric` of the logarithmic grids
    grid: NDArray[np.intp]  # positions in `numeric` of all grids
    q: Array  # of the grids
    parents: tuple[int, ...]  # columns of choices on which other columns depend
    support: tuple[Array, Array]  # smallest and largest x

    @staticmethod
    def of(columns: Sequence[Column]) -> Layout:
        """The layout of `columns`."""
        found = [(j, column.distribution) for j, column in enumerate(columns)]
        numbers = [(j, prior) for j, prior in found if isinstance(prior, Numeric)]
        priors = tuple(prior for _, prior in numbers)
        choices = [(j, prior) for j, prior in found if isinstance(prior, Categorical)]
        ranges = np.array([_range(prior) for prior in priors]).reshape(-1, 4)
        low, high, centre, scale = ranges.T
        logs = [i for i, prior in enumerate(priors) if prior.log]
        step = [prior.q if prior.q and not prior.log else 0.0 for prior in priors]
        return Layout(
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
            tuple(sorted({j for column in columns for j, _ in column.conditions})),
            (
                np.array([prior.support[0] for prior in priors]),
                np.array([prior.support[1] for prior in priors]),
            ),
        )

    def latent(self, X: Array) -> Array:
        """The latent values z (n, c) of rows X (n, d); NaN where inactive. On a logarithmic grid,
        where x may be 0, z is the middle of the cell.
        """
        x = X[:, self.numeric]
        x[:, self.logs] = np.log(np.maximum(x[:, self.logs], self.floor))
        z: Array = np.clip((x - self.centre) / self.scale, self.low, self.high)
        for i in self.curved:
            low, high = self.cells(i, X)
            z[:, i] = ((low + high) / 2 - self.centre[i]) / self.scale[i]
        return z

    def unit(self, X: Array) -> Array:
        """The prior probabilities (n, c) of the numeric columns of rows X (n, d); NaN where
        inactive. `Space.from_unit` is the inverse.
        """
        z = self.latent(X)
        normal = np.isinf(self.high)
        U = (z - self.low) / np.where(normal, 1.0, self.high - self.low)
        if normal.any():  # avoids the import of scipy before the first trial
            U[:, normal] = ndtr(z[:, normal])
        return U

    def cells(self, i: int, X: Array) -> tuple[Array, Array]:
        """(lower, upper) bounds of log(x) of the cells of a logarithmic grid in rows X; `i` is the
        position of its column in `numeric`.
        """
        low, high = self.priors[i].cell(X[:, self.numeric[i]])
        floor = float(np.log(self.floor[np.searchsorted(self.logs, i)]))
        return np.maximum(low, floor), high

    def values(self, z: Array) -> Array:
        """The values x of the numeric columns at latent values z (n, c)."""
        x = z * self.scale + self.centre
        x[:, self.logs] = np.exp(np.minimum(x[:, self.logs], LARGEST_EXPONENT))
        x[:, self.grid] = np.round(x[:, self.grid] / self.q) * self.q
        kept: Array = np.clip(x, *self.support) + 0.0  # + 0.0 turns -0.0 into 0.0
        return kept


def _range(prior: Numeric) -> tuple[float, float, float, float]:
    """(low, high, centre, scale) of the latent values. The range of a bounded linear grid extends
    to the ends of its outer cells, so that all cells have the same width.
    """
    if prior.normal:
        return prior.low, prior.high, *prior.normal
    low, high = prior.low, prior.high
    if prior.q and not prior.log:
        low, high = prior.support[0] - prior.q / 2, prior.support[1] + prior.q / 2
    return low, high, (low + high) / 2, high - low


def _floor(prior: Numeric) -> float:
    """The lower bound of x of a logarithmic parameter before taking the logarithm. On a grid, x may
    be 0, whose cell would have no lower bound.
    """
    least = np.exp(prior.low) if np.isfinite(prior.low) else (prior.q or 0.0) / 16
    return max(float(least), 1e-300)
