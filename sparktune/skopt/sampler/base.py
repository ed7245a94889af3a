"""`InitialPointGenerator`: the base class of the generators of initial points."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space import Space
from sparktune.skopt.space.dimension import generator

G = TypeVar("G", bound="InitialPointGenerator")


class InitialPointGenerator:
    """Base class of generators that spread points over a space. Subclasses define `cube`, the
    points in the unit cube; the priors map them to the space.
    """

    def generate(
        self, dimensions: Any, n_samples: int, random_state: Any = None
    ) -> list[list[Any]]:
        """Return `n_samples` points.

        Args:
            dimensions: the dimensions of the points, as for `Space`.
            random_state: None, a seed or a generator.
        """
        space = Space(dimensions)
        U = self.cube(len(space), n_samples, generator(random_state))
        columns = [each.at(u) for each, u in zip(space.dimensions, U.T, strict=True)]
        return [list(point) for point in zip(*columns, strict=True)]

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """Return n points (n, d) in the unit cube."""
        raise NotImplementedError

    def get_params(self) -> dict[str, Any]:
        """Return the options as {name: value}."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def set_params(self: G, **params: Any) -> G:
        """Change options.

        Raises:
            ValueError: the generator has no option with this name.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise InvalidArgument(
                    f"{type(self).__name__} has no option {name!r}; it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self


def seed_of(rng: np.random.RandomState) -> np.random.Generator:
    """Return a `numpy.random.Generator`, which `scipy.stats.qmc` needs, seeded from rng."""
    return np.random.default_rng(int(rng.randint(2**31 - 1)))
