"""Points of a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.sampler.base import InitialPointGenerator

_BORDERS = ("exclude", "include", "only")


class Grid(InitialPointGenerator):
    """Points of the coarsest regular grid that has enough of them; of more a random selection.

    Args:
        border: "exclude", the grid is inside the space; "include", it reaches its border; "only",
            its points on the border.
        use_full_layout: False: what `append_border` says comes from its own grid, where the largest
            full grid with not too many points leaves some to be chosen.
        append_border: as `border`, for those points.
    """

    def __init__(
        self, border: str = "exclude", use_full_layout: bool = True, append_border: str = "only"
    ) -> None:
        self.border = border
        self.use_full_layout = use_full_layout
        self.append_border = append_border

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """n points (n, d) of the unit cube.

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
    """n points of the coarsest grid that has as many."""
    steps, points = 1, _grid(n_dim, 1, border)
    while len(points) < n and not (border == "only" and n_dim == 1 and steps > 2):
        steps += 1
        points = _grid(n_dim, steps, border)
    if len(points) < n:  # in one dimension the border has two points
        return points[np.arange(n) % len(points)]
    return points[np.sort(rng.permutation(len(points))[:n])]


def _grid(n_dim: int, steps: int, border: str) -> Any:
    """All points of the grid with so many steps in each dimension."""
    inside = (np.arange(steps) + 1) / (steps + 1)
    line = inside if border == "exclude" or steps == 1 else np.linspace(0.0, 1.0, steps)
    points = np.stack(np.meshgrid(*[line] * n_dim, indexing="ij"), axis=-1).reshape(-1, n_dim)
    if border == "only" and steps > 1:
        points = points[((points == 0) | (points == 1)).any(axis=1)]
    return points
