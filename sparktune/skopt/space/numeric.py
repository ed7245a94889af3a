"""`Real` and `Integer`: numeric dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.dimension import Dimension
from sparktune.skopt.space.transformers import Identity, LogN, Normalize, Pipeline, Transformer

_PRIORS = ("uniform", "log-uniform")


class _Number(Dimension):
    """Base class of the numeric dimensions. Subclasses define how values are rounded."""

    _dtypes: ClassVar[tuple[Any, Any, str]]
    """The default dtype, the base class of allowed dtypes, and its name in messages."""

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
        """Return the smallest and the largest value in [low, high]."""
        return low, high

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The smallest and the largest value, (low, high)."""
        return self.low, self.high

    def distance(self, a: Any, b: Any) -> float:
        """Return |a - b|.

        Raises:
            RuntimeError: a or b is out of bounds.
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
        """Set the transformation: "identity" or "normalize"."""
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
        """Whether the transformed values are evenly spaced."""
        return False

    def _key(self) -> tuple[Any, ...]:
        same = np.allclose([self.low, self.high], [float(self.low), float(self.high)])
        return float(self.low), float(self.high), self.prior, self.transform_, bool(same)

    def _logs(self, values: Sequence[Any]) -> list[float]:
        return [float(x) for x in LogN(self.base).transform(values)]

    @property
    def transformed_bounds(self) -> tuple[float, float]:
        """The bounds (low, high) of the transformed values."""
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
    """A dimension of real numbers in [low, high].

    Args:
        low, high: the bounds, both included.
        prior: "uniform", or "log-uniform" (uniform in the logarithm).
        base: base of the logarithms that models receive with a log-uniform prior.
        transform: how values are transformed for models: "identity", or "normalize" to [0, 1].
        name: the name for `use_named_args` and plots.
        dtype: type of the values: float, or a numpy floating type or its name.

    Raises:
        ValueError: the bounds or an option are invalid.
    """

    _dtypes = (float, np.floating, "real numbers")

    def at(self, u: Any) -> list[float]:
        """Return the values at the quantiles u in (0, 1) of the prior."""
        low, high = float(self.low), float(self.high)
        if self.prior == "log-uniform":
            logs = self._logs([low, high])
            x = LogN(self.base).inverse_transform(logs[0] + np.asarray(u) * (logs[1] - logs[0]))
        else:
            x = low + np.asarray(u) * (high - low)
        return [float(each) for each in np.clip(x, low, high)]

    def inverse_transform(self, Xt: Any) -> Any:
        """Convert transformed values Xt back to values, clipped to the bounds."""
        values = np.clip(super().inverse_transform(Xt), self.low, self.high)
        if self.dtype in (float, "float"):
            return np.asarray(values, dtype=float).tolist()
        typed = np.asarray(values).astype(self.dtype)
        return typed[()] if typed.ndim == 0 else typed


class Integer(_Number):
    """A dimension of integers from low to high, both included.

    Args:
        low, high, prior, base, transform, name: as for `Real`.
        dtype: type of the values: `numpy.int64` (default), int, or another numpy integer type or
            its name.

    Raises:
        ValueError: the bounds or an option are invalid.
    """

    _dtypes = (np.int64, np.integer, "integers")

    @staticmethod
    def _within(low: float, high: float) -> tuple[int, int]:
        return int(np.ceil(low)), int(np.floor(high))

    @property
    def _on_grid(self) -> bool:
        return bool(self.prior == "uniform")

    def at(self, u: Any) -> list[int]:
        """Return the values at the quantiles u in (0, 1) of the prior, which is rounded to integers
        if it is log-uniform.
        """
        u = np.asarray(u)
        if self.prior == "log-uniform":
            low, high = self._logs([self.low - 0.5, self.high + 0.5])
            x = np.round(LogN(self.base).inverse_transform(low + u * (high - low)))
        else:
            x = self.low + np.floor(u * (self.high - self.low + 1))
        return [int(each) for each in np.clip(x, self.low, self.high)]

    def draw(self, n: int, rng: np.random.RandomState) -> Any:
        """Draw n values (n,) from the prior."""
        if self.prior == "uniform":
            return rng.randint(self.low, self.high + 1, size=n)
        return np.array(super().draw(n, rng))

    def inverse_transform(self, Xt: Any) -> Any:
        """Convert transformed values Xt back to values, rounded and clipped to the bounds."""
        values = np.clip(np.round(super().inverse_transform(Xt)), self.low, self.high)
        if self.dtype in (int, "int"):
            return np.asarray(values).astype(np.int64).tolist()
        typed = np.asarray(values).astype(self.dtype)
        return typed[()] if typed.ndim == 0 else typed
