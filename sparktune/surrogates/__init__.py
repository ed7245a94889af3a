"""Models of a loss over vectors, which can be used without a sampler.

A surrogate is a frozen dataclass of its options with one method, `fit(Z, y, rng)`, a pure function
of its arguments that returns a `Posterior`. Nothing here knows of spaces or trials.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]


class Posterior(Protocol):
    """The knowledge about a function f after n observations."""

    def predict(self, Z: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f, both (m,), at the rows of Z (m, p)."""

    def sample(self, Z: Array, n: int, rng: np.random.Generator) -> Array:
        """n joint draws of f at the rows of Z, shape (n, m)."""

    def residuals(self) -> Array:
        """Each observation less its prediction from the others, in standard deviations of that
        prediction, shape (n,).
        """


class Surrogate(Protocol):
    """A model that is fitted to observations."""

    def fit(self, Z: Array, y: Array, rng: np.random.Generator) -> Posterior:
        """The posterior after observing y (n,) at the rows of Z (n, p)."""
