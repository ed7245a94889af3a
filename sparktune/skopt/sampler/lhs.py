"""`Lhs`: Latin hypercube sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.sampler.base import InitialPointGenerator, seed_of


class Lhs(InitialPointGenerator):
    """Latin hypercube sampling (McKay et al. 1979).

    Args:
        lhs_type: "classic": a random point in each cell; "centered": the centre of each cell.
        criterion: how the best of several hypercubes is chosen. "maximin" maximises the smallest
            distance between points, "ratio" minimises the ratio of the largest to the smallest
            distance, "correlation" minimises the largest absolute correlation between dimensions.
            None: the first hypercube is used.
        iterations: number of hypercubes to choose from.
    """

    def __init__(
        self,
        lhs_type: str = "classic",
        criterion: str | None = "maximin",
        iterations: int = 1000,
    ) -> None:
        self.lhs_type = lhs_type
        self.criterion = criterion
        self.iterations = iterations

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """Return n points (n, d) in the unit cube.

        Raises:
            ValueError: an option is unknown.
        """
        from scipy.stats import qmc

        if self.lhs_type not in ("classic", "centered"):
            raise InvalidArgument(
                f"lhs_type must be 'classic' or 'centered', got {self.lhs_type!r}"
            )
        if self.criterion is not None and self.criterion not in _CRITERIA:
            raise InvalidArgument(
                f"criterion must be {', '.join(map(repr, _CRITERIA))} or None, "
                f"got {self.criterion!r}"
            )
        engine = qmc.LatinHypercube(n_dim, scramble=self.lhs_type == "classic", seed=seed_of(rng))
        best = engine.random(n_samples)
        if self.criterion is None or n_samples < 2:
            return best
        measure = _CRITERIA[self.criterion]
        least = measure(best)
        for _ in range(self.iterations - 1):
            other = engine.random(n_samples)
            if (value := measure(other)) < least:
                best, least = other, value
        return best


def _crowding(U: Any) -> float:
    from scipy.spatial.distance import pdist

    return -float(pdist(U).min())


def _ratio(U: Any) -> float:
    from scipy.spatial.distance import pdist

    distances = pdist(U)
    return float(distances.max() / max(distances.min(), 1e-300))


def _correlation(U: Any) -> float:
    if U.shape[1] < 2:
        return 0.0
    correlations = np.corrcoef(U.T)
    return float(np.abs(correlations - np.eye(len(correlations))).max())


_CRITERIA: dict[str, Callable[[Any], float]] = {
    "maximin": _crowding,
    "ratio": _ratio,
    "correlation": _correlation,
}
