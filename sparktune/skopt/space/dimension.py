"""What the dimensions of a space have in common."""

from __future__ import annotations

import numbers
from typing import Any, cast

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.transformers import Transformer


def generator(seed: Any) -> np.random.RandomState:
    """A generator from None, a seed, or a generator of either kind."""
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
    """One parameter. Its `transformer` leads to the numbers that models see."""

    prior: Any = None
    transform_: str
    transformer: Transformer

    @property
    def name(self) -> str | None:
        """What it is called."""
        return self._name

    @name.setter
    def name(self, value: str | None) -> None:
        if not (isinstance(value, str) or value is None):
            raise InvalidArgument("Dimension's name must be either string or None.")
        self._name = value

    def set_transformer(self, transform: str = "identity") -> None:
        """Choose how models see this dimension."""
        raise NotImplementedError

    def rvs(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """n values drawn from the prior, as a list or an array, of one value too."""
        return self.draw(n_samples, generator(random_state))

    def draw(self, n: int, rng: np.random.RandomState) -> Any:
        """n values drawn from the prior."""
        return self.at(rng.uniform(size=n))

    def at(self, u: Any) -> list[Any]:
        """The values at the positions u in (0, 1) of the prior."""
        raise NotImplementedError

    def transform(self, X: Any) -> Any:
        """The numbers that models see of values X."""
        return self.transformer.transform(X)

    def inverse_transform(self, Xt: Any) -> Any:
        """The values of numbers Xt."""
        return self.transformer.inverse_transform(Xt)

    @property
    def size(self) -> int:
        """Columns of values: 1."""
        return 1

    @property
    def transformed_size(self) -> int:
        """Columns of numbers."""
        return 1

    @property
    def bounds(self) -> Any:
        """What values there are."""
        raise NotImplementedError

    @property
    def is_constant(self) -> bool:
        """Whether there is only one value."""
        return False

    @property
    def transformed_bounds(self) -> Any:
        """Bounds of the numbers."""
        raise NotImplementedError

    def distance(self, a: Any, b: Any) -> float:
        """How far two values are apart."""
        raise NotImplementedError

    def _check_both(self, a: Any, b: Any) -> None:
        """Refuse values of which there is no distance."""
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
