"""`Dimension`: the base class of the dimensions of a space."""

from __future__ import annotations

import numbers
from typing import Any, cast

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.transformers import Transformer


def generator(seed: Any) -> np.random.RandomState:
    """Return a `RandomState`, given None, a seed, a `RandomState` or a `Generator`.

    Raises:
        ValueError: the seed is none of these.
    """
    if isinstance(seed, np.random.RandomState):
        return seed
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**31 - 1))
    if seed is None or isinstance(seed, numbers.Integral):
        return np.random.RandomState(None if seed is None else int(cast(int, seed)))
    raise InvalidArgument(
        f"random_state must be None, an integer or a numpy generator, got {seed!r}"
    )


class Dimension:
    """Base class of the dimensions. The `transformer` converts values to the features of models."""

    prior: Any = None
    transform_: str
    transformer: Transformer

    @property
    def name(self) -> str | None:
        """The name; None: none."""
        return self._name

    @name.setter
    def name(self, value: str | None) -> None:
        if not (isinstance(value, str) or value is None):
            raise InvalidArgument("Dimension's name must be either string or None.")
        self._name = value

    def set_transformer(self, transform: str = "identity") -> None:
        """Set the transformation of values for models, by its name."""
        raise NotImplementedError

    def rvs(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draw n values from the prior. They are a list or an array, even if n is 1."""
        return self.draw(n_samples, generator(random_state))

    def draw(self, n: int, rng: np.random.RandomState) -> Any:
        """Draw n values from the prior."""
        return self.at(rng.uniform(size=n))

    def at(self, u: Any) -> list[Any]:
        """Return the values at the quantiles u in (0, 1) of the prior."""
        raise NotImplementedError

    def transform(self, X: Any) -> Any:
        """Convert values X to the features of models."""
        return self.transformer.transform(X)

    def inverse_transform(self, Xt: Any) -> Any:
        """Convert transformed values Xt back to values."""
        return self.transformer.inverse_transform(Xt)

    @property
    def size(self) -> int:
        """The number of columns before the transformation, which is 1."""
        return 1

    @property
    def transformed_size(self) -> int:
        """The number of transformed columns."""
        return 1

    @property
    def bounds(self) -> Any:
        """The smallest and the largest value, or the categories."""
        raise NotImplementedError

    @property
    def is_constant(self) -> bool:
        """Whether the dimension has only one value."""
        return False

    @property
    def transformed_bounds(self) -> Any:
        """The bounds of the transformed values."""
        raise NotImplementedError

    def distance(self, a: Any, b: Any) -> float:
        """Return the distance between two values."""
        raise NotImplementedError

    def _check_both(self, a: Any, b: Any) -> None:
        """Check that a and b are in this dimension.

        Raises:
            RuntimeError: a or b is not in this dimension.
        """
        if a not in self or b not in self:
            raise RuntimeError(
                f"can only compute distance for values within the space, not {a} and {b}"
            )

    def __contains__(self, value: Any) -> bool:
        raise NotImplementedError

    def _key(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(repr(self._key()))
