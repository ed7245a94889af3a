"""Rows of a space as vectors for a surrogate, whose distances are Euclidean.

    X    (n, d)   rows, NaN where inactive
    u    (n, c)   numeric columns: 0 to 1 over the range, -1 to 1 standard deviations as 1/4 to 3/4;
                  NaN where inactive
    Z    (n, p)   features

One feature of a numeric column that is always active is u. A conditional one has two,
(sin, cos)(pi u / 2), and (0, 0) where it is inactive, which is as far from every value as they can
be from each other, about (Swersky et al. 2013, arXiv:1409.4011). A choice has one for each option,
sqrt(1/2) for the one that is taken, so that different ones are at distance 1; an inactive one is
an option of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from sparktune.space.distributions import Array
from sparktune.space.layout import Layout
from sparktune.space.space import Space

_WIDE = 4.0
"""Standard deviations that have the length 1."""

_TAKEN = np.sqrt(0.5)


@dataclass(frozen=True)
class Embedding:
    """The features of the rows of a space.

    Attributes:
        space, layout: the space, and its layout.
        groups: (p,) the column of each feature.
        normal: (c,) whether a numeric column has no bounds.
        conditional: (d,) whether a column can be inactive.
    """

    space: Space
    layout: Layout
    groups: NDArray[np.intp]
    normal: NDArray[np.bool_]
    conditional: NDArray[np.bool_]

    @staticmethod
    @lru_cache(maxsize=8)
    def of(space: Space) -> Embedding:
        """The embedding of a space. It is cached."""
        layout = space.layout
        conditional = np.array([bool(column.conditions) for column in space.columns])
        widths = [(int(j), 1 + conditional[j]) for j in layout.numeric]
        choices = zip(layout.categorical, layout.options, strict=True)
        widths += [(j, len(p) + conditional[j]) for j, p in choices]
        groups = [j for j, width in widths for _ in range(width)]
        return Embedding(
            space, layout, np.array(groups, np.intp), np.isinf(layout.high), conditional
        )

    def unit(self, X: Array) -> Array:
        """u of the rows X."""
        z = self.layout.latent(X)
        u: Array = np.where(self.normal, z / _WIDE, z) + 0.5
        return u

    def values(self, u: Array) -> Array:
        """The values of the numeric columns at u, rounded to their grids and clipped to their
        ranges.
        """
        z = u - 0.5
        x: Array = self.layout.values(np.where(self.normal, z * _WIDE, z))
        return x

    def features(self, X: Array) -> Array:
        """Z of the rows X."""
        u, parts = self.unit(X), []
        for i, j in enumerate(self.layout.numeric):
            parts.append(self.numbers(u[:, i], bool(self.conditional[j])))
        for j, p in zip(self.layout.categorical, self.layout.options, strict=True):
            option = np.nan_to_num(X[:, j, None], nan=len(p))
            parts.append(_TAKEN * (option == np.arange(len(p) + self.conditional[j])))
        return np.concatenate(parts, axis=1)

    @staticmethod
    def numbers(u: Array, conditional: bool) -> Array:
        """The features of one numeric column, shape (n, 1 or 2)."""
        if not conditional:
            return u[:, None]
        angle = np.pi / 2 * u[:, None]
        pair: Array = np.nan_to_num(np.hstack([np.sin(angle), np.cos(angle)]), nan=0.0)
        return pair

    def continuous(self, row: Array) -> NDArray[np.intp]:
        """The active numeric columns of a row that have no grid, as positions among the numeric
        columns.
        """
        free = ~np.isnan(row[self.layout.numeric])
        free[self.layout.grid] = False
        return np.flatnonzero(free)

    def line(self, row: Array, free: NDArray[np.intp]) -> Callable[[Array], tuple[Array, Array]]:
        """A function of u of the numeric columns `free`; the other columns have the values of the
        row. It returns the features (p,), and their derivatives (p, len(free)).
        """
        start = self.features(row[None])[0]
        columns = self.layout.numeric[free]
        two = self.conditional[columns]
        first = self._first[free]

        def at(u: Array) -> tuple[Array, Array]:
            z, jacobian, k = start.copy(), np.zeros((len(start), len(free))), np.arange(len(free))
            z[first] = np.where(two, np.sin(np.pi / 2 * u), u)
            jacobian[first, k] = np.where(two, np.pi / 2 * np.cos(np.pi / 2 * u), 1.0)
            z[first[two] + 1] = np.cos(np.pi / 2 * u[two])
            jacobian[first[two] + 1, k[two]] = -np.pi / 2 * np.sin(np.pi / 2 * u[two])
            return z, jacobian

        return at

    def log_prior(self, u: Array) -> tuple[Array, Array]:
        """The log density at u (n, c) of the parameters without bounds, up to a constant, shape
        (n,), and its derivatives (n, c). Bounded ones have a uniform prior.
        """
        t = np.where(self.normal, np.nan_to_num(u, nan=0.5) - 0.5, 0.0) * _WIDE
        return -0.5 * (t**2).sum(axis=1), -_WIDE * t

    @cached_property
    def steps(self) -> Array:
        """The width in u of a cell of each numeric column's grid, shape (c,); 0 without a grid, and
        if the width differs from cell to cell.
        """
        return self.layout.step / np.where(self.normal, _WIDE, 1.0)

    @cached_property
    def bounds(self) -> Array:
        """The smallest and the largest u of a search, shape (c, 2)."""
        found: Array = np.where(self.normal[:, None], [-0.5, 1.5], [0.0, 1.0])
        return found

    @cached_property
    def _first(self) -> NDArray[np.intp]:
        """The first feature of each numeric column."""
        widths = 1 + self.conditional[self.layout.numeric]
        first: NDArray[np.intp] = np.cumsum(widths) - widths
        return first
