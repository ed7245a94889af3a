"""Transformers between the values of a dimension and the features of models."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument

_NEAR = 1e-8
"""Tolerance for values that rounding moves out of their range."""


class Transformer:
    """Base class of the transformers. By default, values are not changed."""

    def fit(self, X: Any) -> Transformer:
        """Adapt the transformer to values X."""
        return self

    def transform(self, X: Any) -> Any:
        """Transform values X."""
        return X

    def inverse_transform(self, Xt: Any) -> Any:
        """Convert transformed values Xt back to values."""
        return Xt


class Identity(Transformer):
    """A transformer that does not change values."""


class LogN(Transformer):
    """Take logarithms to a base."""

    def __init__(self, base: float) -> None:
        self.base = base

    def transform(self, X: Any) -> Any:
        """Return log X / log base."""
        X = np.asarray(X, dtype=float)
        return np.log10(X) if self.base == 10 else np.log(X) / np.log(self.base)

    def inverse_transform(self, Xt: Any) -> Any:
        """Return base^Xt."""
        return self.base ** np.asarray(Xt, dtype=float)


class Normalize(Transformer):
    """Scale the range [low, high] to [0, 1]. With `is_int`, values are rounded in both directions.

    Both methods raise a ValueError if a value is out of its range.
    """

    def __init__(self, low: float, high: float, is_int: bool = False) -> None:
        self.low, self.high, self.is_int = float(low), float(high), is_int

    def transform(self, X: Any) -> Any:
        """Return (X - low) / (high - low)."""
        X = np.asarray(X)
        X = np.round(X).astype(np.int64) if self.is_int else X.astype(float)
        _check(X, self.low, self.high)
        if self.high == self.low:
            return X * 0.0
        return (X - self.low) / (self.high - self.low)

    def inverse_transform(self, Xt: Any) -> Any:
        """Return low + Xt (high - low)."""
        Xt = np.asarray(Xt, dtype=float)
        _check(Xt, 0.0, 1.0)
        X = Xt * (self.high - self.low) + self.low
        return np.round(X).astype(np.int64) if self.is_int else X


def _check(X: Any, low: float, high: float) -> None:
    if np.any(high + _NEAR < X) or np.any(low - _NEAR > X):
        raise InvalidArgument(f"all values must be from {low:g} to {high:g}")


class LabelEncoder(Transformer):
    """Encode categories as 0, 1, ... They are sorted if all are numbers, strings or bools, and else
    stay in their order.
    """

    def __init__(self, X: Sequence[Any] | None = None) -> None:
        if X is not None:
            self.fit(X)

    def fit(self, X: Any) -> LabelEncoder:
        """Learn the categories X."""
        categories = list({_key(x): x for x in _listed(X)}.values())
        kinds = {"number" if type(x) in (int, float) else type(x).__name__ for x in categories}
        sortable = kinds in ({"number"}, {"str"}, {"bool"})
        self.categories = sorted(categories) if sortable else categories
        self._index = {_key(x): i for i, x in enumerate(self.categories)}
        return self

    def transform(self, X: Any) -> Any:
        """Return the label (n,) of each category."""
        return np.array(positions(self._index, _listed(X)))

    def inverse_transform(self, Xt: Any) -> Any:
        """Return the category of each label; labels are rounded to integers."""
        return [self.categories[round(float(i))] for i in np.ravel(np.asarray(Xt))]


class StringEncoder(Transformer):
    """Encode categories as strings."""

    def __init__(self, dtype: Any = str) -> None:
        self.dtype = dtype

    def fit(self, X: Any) -> StringEncoder:
        """Learn the categories X."""
        self._values = {str(x): x for x in _listed(X)}
        return self

    def transform(self, X: Any) -> Any:
        """Return each category as a string."""
        return [str(x) for x in _listed(X)]

    def inverse_transform(self, Xt: Any) -> Any:
        """Return the category of each string."""
        return [self._values[str(x)] for x in Xt]


class CategoricalEncoder(Transformer):
    """One-hot encoding, with a column for each category, or with a single column for at most two
    categories.
    """

    def fit(self, X: Any) -> CategoricalEncoder:
        """Learn the categories X, in this order."""
        self.categories = list({_key(x): x for x in _listed(X)}.values())
        self._index = {_key(x): i for i, x in enumerate(self.categories)}
        return self

    def transform(self, X: Any) -> Any:
        """Return the columns (n, C) of n categories, or (n, 1) for C <= 2."""
        labels = np.array(positions(self._index, _listed(X)))
        if len(self.categories) <= 2:
            return labels[:, None].astype(float)
        return np.eye(len(self.categories))[labels]

    def inverse_transform(self, Xt: Any) -> Any:
        """Return the category with the largest value in each row."""
        Xt = np.asarray(Xt, dtype=float)
        if len(self.categories) <= 2:
            last = len(self.categories) - 1
            return [self.categories[min(int(x > 0.5), last)] for x in Xt.ravel()]
        rows = Xt.reshape(-1, len(self.categories))
        return [self.categories[i] for i in np.argmax(rows, axis=1)]


class Pipeline(Transformer):
    """Apply several transformers one after another."""

    def __init__(self, transformers: Sequence[Transformer]) -> None:
        self.transformers = list(transformers)

    def fit(self, X: Any) -> Pipeline:
        """Fit each transformer to the output of the transformer before it."""
        for each in self.transformers:
            X = each.fit(X).transform(X)
        return self

    def transform(self, X: Any) -> Any:
        """Transform values X."""
        for each in self.transformers:
            X = each.transform(X)
        return X

    def inverse_transform(self, Xt: Any) -> Any:
        """Convert transformed values Xt back to values."""
        for each in reversed(self.transformers):
            Xt = each.inverse_transform(Xt)
        return Xt


def key_of(value: Any) -> Hashable:
    """Return a hashable key that distinguishes a category from others. True and 1 have different
    keys; the key of a value that is not hashable is its type and its repr.
    """
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
    """Return values as a list; a string or a number is a single value."""
    if isinstance(X, (str, bytes)) or not hasattr(X, "__len__"):
        return [X]
    return list(X)


def positions(index: dict[Hashable, int], values: list[Any]) -> list[int]:
    """Return the index of each value among the categories.

    Raises:
        ValueError: a value is not one of the categories.
    """
    try:
        return [index[_key(value)] for value in values]
    except KeyError as error:
        known = ", ".join(repr(key[1]) for key in index)  # type: ignore[index]
        raise InvalidArgument(
            f"{error.args[0][1]!r} is not one of the categories {known}"
        ) from None
