"""`Real` and `Integer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.dimension import Dimension
from sparktune.skopt.space.transformers import Identity, LogN, Normalize, Pipeline, Transformer

_PRIORS = ("uniform", "log-uniform")


class _Number(Dimension):
    """What real numbers and integers share: all but how numbers are rounded."""

    _dtypes: ClassVar[tuple[Any, Any, str]]
    """The default, what others are kinds of, and what those are called."""

    def __init__(
        self,
        low: Any,
        high: Any,
        prior: str = "uniform",
        base: int = 10,
        transform: str | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        kind, (usual, wanted, called) = type(self).__name__, self._dtypes
        dtype = usual if dtype is None else dtype
        if not np.issubdtype(np.dtype(dtype), wanted):
            raise InvalidArgument(f"{kind}: dtype must be one of {called}, got {dtype!r}")
        if not np.isfinite([low, high]).all():
            raise InvalidArgument(f"{kind}: bounds must be finite numbers, got {low} and {high}")
        low, high = self._within(low, high)
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
        self.dtype = dtype
        self.name = name
        self.set_transformer("identity" if transform is None else transform)

    @staticmethod
    def _within(low: Any, high: Any) -> tuple[Any, Any]:
        """The smallest and the largest value between two numbers."""
        return low, high

    @property
    def bounds(self) -> tuple[Any, Any]:
        """(low, high)."""
        return self.low, self.high

    def distance(self, a: Any, b: Any) -> float:
        """|a - b|.

        Raises:
            RuntimeError: one of them is not in this dimension.
        """
        self._check_both(a, b)
        return cast(float, abs(a - b))

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, list):
            value = np.array(value)
        try:
            return bool(np.all((value >= self.low) & (value <= self.high)))
        except TypeError:
            return False

    def set_transformer(self, transform: str = "identity") -> None:
        """Choose "identity" or "normalize"."""
        if transform not in ("normalize", "identity"):
            raise InvalidArgument(f"transform should be 'normalize' or 'identity', got {transform}")
        self.transform_ = transform
        steps: list[Transformer] = []
        bounds = [float(self.low), float(self.high)]
        if self.prior == "log-uniform":
            steps, bounds = [LogN(self.base)], self._logs(bounds)
        if transform == "normalize":
            steps.append(Normalize(bounds[0], bounds[1], is_int=self._on_grid))
        self.transformer = Pipeline(steps or [Identity()])

    @property
    def _on_grid(self) -> bool:
        """Whether the numbers that models see lie on an even grid."""
        return False

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

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(low={self.low}, high={self.high}, prior={self.prior!r}, "
            f"transform={self.transform_!r})"
        )


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

    _dtypes = (float, np.floating, "real numbers")

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
            return np.asarray(found, dtype=float).tolist()
        typed = np.asarray(found).astype(self.dtype)
        return typed[()] if typed.ndim == 0 else typed


class Integer(_Number):
    """An integer from low to high, both included; with a uniform prior all are equally likely.

    Args:
        prior, base, transform, name: as for `Real`.
        dtype: of values; `numpy.int64`, int, another type of numpy's or its name.

    Raises:
        ValueError: the bounds or an option cannot be.
    """

    _dtypes = (np.int64, np.integer, "integers")

    @staticmethod
    def _within(low: float, high: float) -> tuple[int, int]:
        return int(np.ceil(low)), int(np.floor(high))

    @property
    def _on_grid(self) -> bool:
        return bool(self.prior == "uniform")

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
            return np.asarray(found).astype(np.int64).tolist()
        typed = np.asarray(found).astype(self.dtype)
        return typed[()] if typed.ndim == 0 else typed
