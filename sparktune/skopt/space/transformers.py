"""Ways between the values of a dimension and the numbers that a model sees."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument

_NEAR = 1e-8
"""How far outside of its range a number may be by rounding."""


class Transformer:
    """A transformation of values; without a `transform` of its own it changes nothing."""

    def fit(self, X: Any) -> Transformer:
        """Learn what there is to learn from values X."""
        return self

    def transform(self, X: Any) -> Any:
        """The numbers of values X."""
        return X

    def inverse_transform(self, Xt: Any) -> Any:
        """The values of numbers Xt."""
        return Xt


class Identity(Transformer):
    """Changes nothing."""


class LogN(Transformer):
    """Logarithms to a base."""

    def __init__(self, base: float) -> None:
        self.base = base

    def transform(self, X: Any) -> Any:
        """log X / log base."""
        X = np.asarray(X, dtype=float)
        return np.log10(X) if self.base == 10 else np.log(X) / np.log(self.base)

    def inverse_transform(self, Xt: Any) -> Any:
        """base^Xt."""
        return self.base ** np.asarray(Xt, dtype=float)


class Normalize(Transformer):
    """The range [low, high] as [0, 1]; integers are rounded on both ways.

    Raises:
        ValueError: by both ways, where a value is outside of its range.
    """

    def __init__(self, low: float, high: float, is_int: bool = False) -> None:
        self.low, self.high, self.is_int = float(low), float(high), is_int

    def transform(self, X: Any) -> Any:
        """(X - low) / (high - low)."""
        X = np.asarray(X)
        X = np.round(X).astype(np.int64) if self.is_int else X.astype(float)
        _check(X, self.low, self.high)
        if self.high == self.low:
            return X * 0.0
        return (X - self.low) / (self.high - self.low)

    def inverse_transform(self, Xt: Any) -> Any:
        """low + Xt (high - low)."""
        Xt = np.asarray(Xt, dtype=float)
        _check(Xt, 0.0, 1.0)
        X = Xt * (self.high - self.low) + self.low
        return np.round(X).astype(np.int64) if self.is_int else X


def _check(X: Any, low: float, high: float) -> None:
    if np.any(high + _NEAR < X) or np.any(low - _NEAR > X):
        raise InvalidArgument(f"all values must be from {low:g} to {high:g}")


class LabelEncoder(Transformer):
    """Categories as 0, 1, ...: those of one kind sorted, others in their order."""

    def __init__(self, X: Sequence[Any] | None = None) -> None:
        if X is not None:
            self.fit(X)

    def fit(self, X: Any) -> LabelEncoder:
        """Take these categories."""
        found = list({_key(x): x for x in _listed(X)}.values())
        kinds = {"number" if type(x) in (int, float) else type(x).__name__ for x in found}
        sortable = kinds in ({"number"}, {"str"}, {"bool"})
        self.categories = sorted(found) if sortable else found
        self._index = {_key(x): i for i, x in enumerate(self.categories)}
        return self

    def transform(self, X: Any) -> Any:
        """The number of each category."""
        return np.array(positions(self._index, _listed(X)))

    def inverse_transform(self, Xt: Any) -> Any:
        """The category of each number, which may have been rounded."""
        return [self.categories[round(float(i))] for i in np.ravel(np.asarray(Xt))]


class StringEncoder(Transformer):
    """Categories as texts."""

    def __init__(self, dtype: Any = str) -> None:
        self.dtype = dtype

    def fit(self, X: Any) -> StringEncoder:
        """Take these categories."""
        self._values = {str(x): x for x in _listed(X)}
        return self

    def transform(self, X: Any) -> Any:
        """The text of each category."""
        return [str(x) for x in _listed(X)]

    def inverse_transform(self, Xt: Any) -> Any:
        """The category of each text."""
        return [self._values[str(x)] for x in Xt]


class CategoricalEncoder(Transformer):
    """A column for each category, 1 in that of the category and 0 in the others; only one column
    for two of them.
    """

    def fit(self, X: Any) -> CategoricalEncoder:
        """Take these categories, in their order."""
        self.categories = list({_key(x): x for x in _listed(X)}.values())
        self._index = {_key(x): i for i, x in enumerate(self.categories)}
        return self

    def transform(self, X: Any) -> Any:
        """The columns (n, 1 or C) of n categories."""
        found = np.array(positions(self._index, _listed(X)))
        if len(self.categories) <= 2:
            return found[:, None].astype(float)
        return np.eye(len(self.categories))[found]

    def inverse_transform(self, Xt: Any) -> Any:
        """The category with the largest number of each row."""
        Xt = np.asarray(Xt, dtype=float)
        if len(self.categories) <= 2:
            last = len(self.categories) - 1
            return [self.categories[min(int(x > 0.5), last)] for x in Xt.ravel()]
        rows = Xt.reshape(-1, len(self.categories))
        return [self.categories[i] for i in np.argmax(rows, axis=1)]


class Pipeline(Transformer):
    """One transformation after the other."""

    def __init__(self, transformers: Sequence[Transformer]) -> None:
        self.transformers = list(transformers)

    def fit(self, X: Any) -> Pipeline:
        """Learn from values X, each from what the one before makes of them."""
        for each in self.transformers:
            X = each.fit(X).transform(X)
        return self

    def transform(self, X: Any) -> Any:
        """The numbers of values X."""
        for each in self.transformers:
            X = each.transform(X)
        return X

    def inverse_transform(self, Xt: Any) -> Any:
        """The values of numbers Xt."""
        for each in reversed(self.transformers):
            Xt = each.inverse_transform(Xt)
        return Xt


def key_of(value: Any) -> Hashable:
    """What tells a category from others: True is not 1, and what has no hash has its text."""
    return _key(value)


def _key(value: Any) -> Hashable:
    if isinstance(value, np.generic):
        value = value.item()
    try:
        hash(value)
    except TypeError:
        return type(value), repr(value)
    return isinstance(value, (bool, np.bool_)), value


def _listed(X: Any) -> list[Any]:
    """The values one by one; a text or a number is one value."""
    if isinstance(X, (str, bytes)) or not hasattr(X, "__len__"):
        return [X]
    return list(X)


def positions(index: dict[Hashable, int], values: list[Any]) -> list[int]:
    """Where each value is among categories.

    Raises:
        ValueError: it is not one of them.
    """
    try:
        return [index[_key(value)] for value in values]
    except KeyError as error:
        known = ", ".join(repr(key[1]) for key in index)  # type: ignore[index]
        raise InvalidArgument(
            f"{error.args[0][1]!r} is not one of the categories {known}"
        ) from None
