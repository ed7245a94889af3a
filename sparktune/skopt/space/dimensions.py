"""The dimensions of a space: `Real`, `Integer` and `Categorical`."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.transformers import (
    CategoricalEncoder,
    Identity,
    LabelEncoder,
    LogN,
    Normalize,
    Pipeline,
    StringEncoder,
    Transformer,
    key_of,
)

_PRIORS = ("uniform", "log-uniform")


def random_state(seed: Any) -> np.random.RandomState:
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
        """n values drawn from the prior; the value itself if n is 1, but not of a normalised
        `Categorical`.
        """
        found = self.draw(n_samples, _generator(random_state))
        listed = isinstance(self, Categorical) and self.transform_ == "normalize"
        return found if n_samples != 1 or listed else found[0]

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

    def __contains__(self, value: Any) -> bool:
        raise NotImplementedError

    def _key(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(repr(self._key()))


def _generator(seed: Any) -> np.random.RandomState:
    return random_state(seed)


class _Number(Dimension):
    """What real numbers and integers share."""

    def __init__(
        self, low: Any, high: Any, prior: str, base: int, transform: str | None, name: str | None
    ) -> None:
        kind = type(self).__name__
        if not high > low:
            raise InvalidArgument(
                f"the lower bound {low} has to be less than the upper bound {high}"
            )
        if prior not in _PRIORS:
            raise InvalidArgument(f"{kind}: prior must be one of {_PRIORS}, got {prior!r}")
        if prior == "log-uniform" and not low > 0:
            raise InvalidArgument(f"{kind}: a log-uniform prior needs low > 0, got {low}")
        self.low, self.high, self.prior, self.base = low, high, prior, base
        self.log_base = float(np.log10(base))
        self.name = name
        self.set_transformer("identity" if transform is None else transform)

    @property
    def bounds(self) -> tuple[Any, Any]:
        """(low, high)."""
        return self.low, self.high

    def distance(self, a: Any, b: Any) -> float:
        """|a - b|.

        Raises:
            RuntimeError: one of them is not in this dimension.
        """
        if a not in self or b not in self:
            raise RuntimeError(
                f"can only compute distance for values within the space, not {a} and {b}"
            )
        return cast(float, abs(a - b))

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, list):
            value = np.array(value)
        try:
            return bool(np.all((value >= self.low) & (value <= self.high)))
        except TypeError:
            return False

    def _refuse(self, transform: str) -> None:
        if transform not in ("normalize", "identity"):
            raise InvalidArgument(f"transform should be 'normalize' or 'identity', got {transform}")

    def _key(self) -> tuple[Any, ...]:
        same = np.allclose([self.low, self.high], [float(self.low), float(self.high)])
        return float(self.low), float(self.high), self.prior, self.transform_, bool(same)

    def _logs(self, values: Sequence[Any]) -> list[float]:
        return [float(x) for x in LogN(self.base).transform(values)]

    @property
    def transformed_bounds(self) -> tuple[float, float]:
        """Bounds of the numbers."""
        if self.transform_ == "normalize":
            return 0.0, 1.0
        if self.prior == "log-uniform":
            low, high = self._logs([self.low, self.high])
            return low, high
        return self.low, self.high


class Real(_Number):
    """A real number from [low, high].

    Args:
        prior: "uniform", or "log-uniform": uniform in the logarithm.
        base: of the logarithms that models see.
        transform: how models see it: "identity", or "normalize" for numbers from 0 to 1.
        name: what `use_named_args` and plots call it.
        dtype: of values; float, a type of numpy's or its name.

    Raises:
        ValueError: the bounds or an option cannot be.
    """

    def __init__(
        self,
        low: float,
        high: float,
        prior: str = "uniform",
        base: int = 10,
        transform: str | None = None,
        name: str | None = None,
        dtype: Any = float,
    ) -> None:
        if dtype is not float and not np.issubdtype(np.dtype(dtype), np.floating):
            raise InvalidArgument(f"Real: dtype must be one of real numbers, got {dtype!r}")
        self.dtype = dtype
        super().__init__(low, high, prior, base, transform, name)

    def set_transformer(self, transform: str = "identity") -> None:
        """Choose "identity" or "normalize"."""
        self._refuse(transform)
        self.transform_ = transform
        steps: list[Transformer] = []
        bounds = [float(self.low), float(self.high)]
        if self.prior == "log-uniform":
            steps, bounds = [LogN(self.base)], self._logs(bounds)
        if transform == "normalize":
            steps.append(Normalize(bounds[0], bounds[1]))
        self.transformer = Pipeline(steps or [Identity()])

    def at(self, u: Any) -> list[float]:
        """The values at the positions u in (0, 1) of the prior."""
        low, high = float(self.low), float(self.high)
        if self.prior == "log-uniform":
            logs = self._logs([low, high])
            x = LogN(self.base).inverse_transform(logs[0] + np.asarray(u) * (logs[1] - logs[0]))
        else:
            x = low + np.asarray(u) * (high - low)
        return [float(each) for each in np.clip(x, low, high)]

    def inverse_transform(self, Xt: Any) -> Any:
        """The values of numbers Xt, kept in their range."""
        found = np.clip(super().inverse_transform(Xt), self.low, self.high)
        if self.dtype in (float, "float"):
            return float(found) if np.ndim(found) == 0 else found.astype(float)
        typed = np.asarray(found).astype(self.dtype)
        return typed[()] if typed.ndim == 0 else typed

    def __repr__(self) -> str:
        return (
            f"Real(low={self.low}, high={self.high}, prior={self.prior!r}, "
            f"transform={self.transform_!r})"
        )


class Integer(_Number):
    """An integer from low to high, both included; with a uniform prior all are equally likely.

    Args:
        prior, base, transform, name: as for `Real`.
        dtype: of values; int, a type of numpy's or its name.

    Raises:
        ValueError: the bounds or an option cannot be.
    """

    def __init__(
        self,
        low: int,
        high: int,
        prior: str = "uniform",
        base: int = 10,
        transform: str | None = None,
        name: str | None = None,
        dtype: Any = np.int64,
    ) -> None:
        if dtype is not int and not np.issubdtype(np.dtype(dtype), np.integer):
            raise InvalidArgument(f"Integer: dtype must be one of integers, got {dtype!r}")
        self.dtype = dtype
        super().__init__(int(np.ceil(low)), int(np.floor(high)), prior, base, transform, name)

    def set_transformer(self, transform: str = "normalize") -> None:
        """Choose "identity" or "normalize"."""
        self._refuse(transform)
        self.transform_ = transform
        log = self.prior == "log-uniform"
        steps: list[Transformer] = [LogN(self.base)] if log else []
        if transform == "normalize":
            low, high = self._logs([self.low, self.high]) if log else (self.low, self.high)
            steps.append(Normalize(low, high, is_int=not log))
        self.transformer = Pipeline(steps or [Identity()])

    def at(self, u: Any) -> list[int]:
        """The values at the positions u in (0, 1) of the prior: an integer stands for what is
        rounded to it.
        """
        u = np.asarray(u)
        if self.prior == "log-uniform":
            low, high = self._logs([self.low - 0.5, self.high + 0.5])
            x = np.round(LogN(self.base).inverse_transform(low + u * (high - low)))
        else:
            x = self.low + np.floor(u * (self.high - self.low + 1))
        return [int(each) for each in np.clip(x, self.low, self.high)]

    def draw(self, n: int, rng: np.random.RandomState) -> Any:
        """n values (n,) drawn from the prior."""
        if self.prior == "uniform":
            return rng.randint(self.low, self.high + 1, size=n)
        return np.array(super().draw(n, rng))

    def inverse_transform(self, Xt: Any) -> Any:
        """The values of numbers Xt, rounded and kept in their range."""
        found = np.clip(np.round(super().inverse_transform(Xt)), self.low, self.high)
        if self.dtype in (int, "int"):
            whole = np.asarray(found).astype(np.int64)
            return int(whole) if whole.ndim == 0 else whole.tolist()
        typed = np.asarray(found).astype(self.dtype)
        return typed[()] if typed.ndim == 0 else typed

    def __repr__(self) -> str:
        return (
            f"Integer(low={self.low}, high={self.high}, prior={self.prior!r}, "
            f"transform={self.transform_!r})"
        )


class Categorical(Dimension):
    """One of several categories, which may be anything.

    Args:
        prior: probabilities of the categories; None: all are equally likely.
        transform: how models see it: "onehot", "label" (0, 1, ...), "string", "identity", or
            "normalize" for numbers from 0 to 1.
        name: what `use_named_args` and plots call it.

    Raises:
        ValueError: there is no category, or an option cannot be.
    """

    def __init__(
        self,
        categories: Sequence[Any],
        prior: Sequence[float] | None = None,
        transform: str | None = None,
        name: str | None = None,
    ) -> None:
        self.categories = tuple(categories)
        if not self.categories:
            raise InvalidArgument("Categorical needs at least one category")
        self.name = name
        self.prior = prior
        n = len(self.categories)
        p = np.full(n, 1 / n) if prior is None else np.asarray(prior, dtype=float)
        if p.shape != (n,) or (p < 0).any() or not np.isclose(p.sum(), 1.0):
            raise InvalidArgument(
                f"prior must be {n} probabilities, one for each category, whose sum is 1; "
                f"got {prior!r}"
            )
        self.prior_ = p
        self.set_transformer("onehot" if transform is None else transform)

    def set_transformer(self, transform: str = "onehot") -> None:
        """Choose "onehot", "label", "string", "identity" or "normalize"."""
        n = len(self.categories)
        made: dict[str, list[Transformer]] = {
            "onehot": [CategoricalEncoder()],
            "label": [LabelEncoder()],
            "string": [StringEncoder()],
            "identity": [Identity()],
            "normalize": [LabelEncoder(), Normalize(0, n - 1, is_int=True)],
        }
        if transform not in made:
            raise InvalidArgument(
                f"transform should be one of {', '.join(map(repr, made))}, got {transform!r}"
            )
        self.transform_ = transform
        self.transformer = Pipeline(made[transform])
        self.transformer.fit(list(self.categories))

    def at(self, u: Any) -> list[Any]:
        """The categories at the positions u in (0, 1) of the prior."""
        edges = np.cumsum(self.prior_)[:-1]
        return [self.categories[i] for i in np.searchsorted(edges, np.asarray(u), side="right")]

    def position(self, value: Any) -> int:
        """Which category a value is.

        Raises:
            ValueError: it is not one.
        """
        for i, category in enumerate(self.categories):
            if key_of(category) == key_of(value):
                return i
        raise InvalidArgument(f"{value!r} is not one of the categories {self.categories!r}")

    def inverse_transform(self, Xt: Any) -> Any:
        """The categories of numbers Xt."""
        found = super().inverse_transform(Xt)
        return found if isinstance(found, list) else list(found)

    @property
    def transformed_size(self) -> int:
        """Columns of numbers."""
        n = len(self.categories)
        return n if self.transform_ == "onehot" and n > 2 else 1

    @property
    def bounds(self) -> tuple[Any, ...]:
        """The categories."""
        return self.categories

    @property
    def is_constant(self) -> bool:
        """Whether there is only one category."""
        return len(self.categories) == 1

    @property
    def transformed_bounds(self) -> Any:
        """Bounds of the numbers, one pair for each column if there are several; the categories
        where there are no numbers.
        """
        n = self.transformed_size
        if self.transform_ == "label":
            return 0.0, float(len(self.categories) - 1)
        if self.transform_ in ("string", "identity"):
            return self.categories
        return (0.0, 1.0) if n == 1 else [(0.0, 1.0)] * n

    def distance(self, a: Any, b: Any) -> float:
        """1 between different categories.

        Raises:
            RuntimeError: one of them is not in this dimension.
        """
        if a not in self or b not in self:
            raise RuntimeError(
                f"can only compute distance for values within the space, not {a} and {b}"
            )
        return float(key_of(a) != key_of(b))

    def __contains__(self, value: Any) -> bool:
        return any(key_of(each) == key_of(value) for each in self.categories)

    def _key(self) -> tuple[Any, ...]:
        return self.categories, tuple(self.prior_.round(12))

    def __repr__(self) -> str:
        shown = [repr(each) for each in self.categories]
        if len(shown) > 7:
            shown = [*shown[:3], "...", *shown[-3:]]
        prior = None if self.prior is None else list(self.prior)
        return f"Categorical(categories=({', '.join(shown)}), prior={prior})"
