"""`Grid`: the points of a regular grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.sampler.base import InitialPointGenerator

_BORDERS = ("exclude", "include", "only")


class Grid(InitialPointGenerator):
    """The points of a regular grid: n random points of the coarsest grid with at least n points.

    Args:
        border: "exclude": all grid points are inside the space; "include": the grid reaches the
            border of the space; "only": only the grid points on the border.
        use_full_layout: False: take all points of the largest grid with at most n points, and
            select the remaining points from a second grid.
        append_border: like `border`, for the second grid.
    """

    def __init__(
        self, border: str = "exclude", use_full_layout: bool = True, append_border: str = "only"
    ) -> None:
        self.border = border
        self.use_full_layout = use_full_layout
        self.append_border = append_border

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """Return n points (n, d) in the unit cube.

        Raises:
            ValueError: an option is unknown.
        """
        for name in ("border", "append_border"):
            if getattr(self, name) not in _BORDERS:
                raise InvalidArgument(
                    f"{name} must be one of {', '.join(map(repr, _BORDERS))}, "
                    f"got {getattr(self, name)!r}"
                )
        if self.use_full_layout:
            return _selected(n_dim, n_samples, self.border, rng)
        steps = int(np.floor(n_samples ** (1 / n_dim) + 1e-9))
        full = _grid(n_dim, steps, self.border)[:n_samples]
        rest = n_samples - len(full)
        if not rest:
            return full
        return np.vstack([full, _selected(n_dim, rest, self.append_border, rng)])


def _selected(n_dim: int, n: int, border: str, rng: np.random.RandomState) -> Any:
    """Select n points of the coarsest grid with at least n points."""
    steps, points = 1, _grid(n_dim, 1, border)
    while len(points) < n and not (border == "only" and n_dim == 1 and steps > 2):
        steps += 1
        points = _grid(n_dim, steps, border)
    if len(points) < n:  # in one dimension the border has two points
        return points[np.arange(n) % len(points)]
    return points[np.sort(rng.permutation(len(points))[:n])]


def _grid(n_dim: int, steps: int, border: str) -> Any:
    """Return all points of the grid with `steps` values in each dimension."""
    inside = (np.arange(steps) + 1) / (steps + 1)
    line = inside if border == "exclude" or steps == 1 else np.linspace(0.0, 1.0, steps)
    points = np.stack(np.meshgrid(*[line] * n_dim, indexing="ij"), axis=-1).reshape(-1, n_dim)
    if border == "only" and steps > 1:
        points = points[((points == 0) | (points == 1)).any(axis=1)]
    return points
