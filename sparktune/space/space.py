"""A search space as columns: a configuration is one float64 row, with NaN for inactive parameters.

Each parameter of the expression is a column. A parameter inside an option of a choice is only
active if the choice takes that option.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import BadSearchSpace, InvalidArgument
from sparktune.space.columns import Column, columns_of
from sparktune.space.distributions import Array, Categorical, Distribution
from sparktune.space.evaluation import rec_eval
from sparktune.space.expression import Apply, Literal, as_apply
from sparktune.space.layout import Layout
from sparktune.trial import Scalar
from sparktune.worker import as_number


class Space:
    """The columns of a search-space expression, and conversions between rows, values and
    configurations.

    `expression` is its root node.

    Raises:
        BadSearchSpace: the space is empty or invalid.
        DuplicateLabel: two different parameters share a label.
    """

    def __init__(self, expression: Any) -> None:
        self.expression = as_apply(expression)
        if isinstance(self.expression, Literal) or not self.expression.inputs():
            raise BadSearchSpace(
                f"the search space is {expression!r}; give a dict, list or hp.* expression, "
                "for example {'x': hp.uniform('x', 0, 1)}"
            )
        self.columns = columns_of(self.expression)
        self.labels = tuple(column.label for column in self.columns)
        self._index = {label: i for i, label in enumerate(self.labels)}

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def layout(self) -> Layout:
        """The columns as arrays, for models of the space."""
        return Layout.of(self.columns)

    def __repr__(self) -> str:
        described = "; ".join(f"{label}: {text}" for label, text in self.describe().items())
        return f"<Space: {described:.500}>"

    def active(self, X: Array) -> NDArray[np.bool_]:
        """Mask (n, d) of the parameters that are active in each row of X (n, d), by its choices."""
        mask = np.ones(X.shape, dtype=bool)
        for j, column in enumerate(self.columns):
            if column.conditions:
                holds = [mask[:, p] & (X[:, p] == option) for p, option in column.conditions]
                mask[:, j] = np.logical_or.reduce(holds)
        return mask

    def masked(self, X: Array) -> Array:
        """X with NaN for inactive parameters."""
        return np.where(self.active(X), X, np.nan)

    def from_unit(self, U: Array) -> Array:
        """Rows (n, d) at points U (n, d) of the unit cube, by the inverse cdf of each prior."""
        X = np.empty(U.shape)
        for j, column in enumerate(self.columns):
            X[:, j] = column.distribution.ppf(U[:, j])
        return self.masked(X)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """n independent rows (n, d), drawn from the prior."""
        return self.from_unit(rng.random((n, len(self))))

    def values(self, row: Array) -> dict[str, Scalar]:
        """{label: Python scalar} of the active parameters of a row."""
        return {
            column.label: column.distribution.scalar(x)
            for column, x in zip(self.columns, row.tolist(), strict=True)
            if x == x
        }

    def encode(self, values: Mapping[str, Any]) -> Array:
        """The row of {label: value}. Unknown labels are ignored; missing ones are NaN.

        Raises:
            InvalidArgument: a parameter cannot take its value.
        """
        row = np.full(len(self), np.nan)
        for label, value in values.items():
            if label in self._index:
                j = self._index[label]
                row[j] = _legal(label, self.columns[j].distribution, value)
        return row

    def memo(self, values: Mapping[str, Any]) -> dict[Apply, Any]:
        """{node of a parameter: value}, for `rec_eval`."""
        return {
            column.node: values[column.label] for column in self.columns if column.label in values
        }

    def decode(self, values: Mapping[str, Any]) -> Any:
        """The configuration of {label: value}: the evaluated expression, which the objective
        receives.
        """
        return rec_eval(self.expression, self.memo(values))

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """{label: value} as the objective receives them: a choice as its evaluated option, a number
        after the conversion of the space (an int for `scope.int(hp.quniform(...))`).
        """
        memo = self.memo(values)
        return {
            column.label: rec_eval(column.used, memo)
            for column in self.columns
            if column.label in values
        }

    def options(self) -> dict[str, list[Any]]:
        """{label: names of the options} of all choices."""
        return {column.label: column.option_names for column in self.columns if column.option_names}

    def check(self, values: Mapping[str, Any]) -> dict[str, Scalar]:
        """{label: Python scalar} of the active parameters of a user's point.

        Values outside of a numeric range are accepted, because a known good point may lie there.

        Raises:
            InvalidArgument: a label is unknown, an active parameter is missing, or a parameter
                cannot take its value.
        """
        if not isinstance(values, Mapping):
            raise InvalidArgument(f"a point must be a dict of {{label: value}}, got {values!r}")
        if unknown := [label for label in values if label not in self._index]:
            raise InvalidArgument(
                f"unknown parameter {', '.join(map(repr, unknown))}; "
                f"the space has {', '.join(map(repr, self.labels))}"
            )
        row = self.encode(values)
        active = self.active(row[None])[0]
        missing = [self.labels[j] for j in np.flatnonzero(active & np.isnan(row))]
        if missing and not self._evaluates(values):
            raise InvalidArgument(
                f"the point {dict(values)!r} lacks a value for {', '.join(map(repr, missing))}"
            )
        return self.values(np.where(active, row, np.nan))

    def _evaluates(self, values: Mapping[str, Any]) -> bool:
        """Whether the space can be evaluated with these values. Parameters inside an option of a
        computed index are only needed if that option is selected.
        """
        try:
            self.decode(values)
        except Exception:
            return False
        return True

    def describe(self) -> dict[str, str]:
        """{label: text of the distribution and the conditions}."""
        return {column.label: self._description(column) for column in self.columns}

    def _description(self, column: Column) -> str:
        text = str(column.distribution)
        options = [f"{self.labels[j]}={option}" for j, option in column.conditions]
        return f"{text} if {' or '.join(options)}" if options else text

    def differences(self, columns: Mapping[str, str]) -> list[str]:
        """The differences from a space whose `describe()` returned `columns`, as texts."""
        old, new = columns, self.describe()
        gone = [f"{label}: {old[label]} is gone" for label in old if label not in new]
        added = [f"{label}: {new[label]} is new" for label in new if label not in old]
        return [
            *gone,
            *added,
            *(
                f"{label}: {old[label]} is now {new[label]}"
                for label in new
                if label in old and old[label] != new[label]
            ),
        ]

    def fingerprint(self) -> str:
        """A hash of the columns, which is equal for equal labels, distributions and conditions."""
        described = [
            {
                "label": column.label,
                "distribution": asdict(column.distribution),
                "conditions": column.conditions,
            }
            for column in self.columns
        ]
        content = json.dumps(described, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def _legal(label: str, distribution: Distribution, value: Any) -> float:
    """A user's value of one parameter, as a float.

    Raises:
        InvalidArgument: the parameter cannot take this value.
    """
    whole = isinstance(distribution, Categorical) or distribution.integer
    number = as_number(value)
    if number is None or not math.isfinite(number) or (whole and not number.is_integer()):
        kind = "an integer" if whole else "a number"
        raise InvalidArgument(f"{label!r} must be {kind}, got {value!r}{_index_hint(distribution)}")
    if isinstance(distribution, Categorical) and not 0 <= number < distribution.size:
        raise InvalidArgument(
            f"{label!r} must be an index from 0 to {len(distribution.p) - 1}, got {value!r}"
            f"{_index_hint(distribution)}"
        )
    return number


def _index_hint(distribution: Distribution) -> str:
    is_choice = isinstance(distribution, Categorical)
    return " (a choice is given by the index of its option, not by the option)" if is_choice else ""
