"""Grid search: every combination of a few values of each parameter, each once.

A point is found on a walk over the columns, each choice followed by what depends on it. Where a
walk stands is its state: the columns further on that the options chosen so far have made active.
Walks in one state go on in the same ways, so that the points beyond a state are counted only once,
and a point is found from its index without listing the others.

    values     of each column, in the order in which they are tried
    ways       of each step: state -> the states that the column's values lead to, one for each
    beyond     of each step: state -> number of points from there on
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers._options import require, with_options
from sparktune.space.columns import Column
from sparktune.space.distributions import Array, Categorical
from sparktune.space.space import Space

LARGEST = 1_000_000

State: TypeAlias = frozenset[int]


@dataclass(frozen=True)
class Grid:
    """Every point of a grid over the space, except those in the history; nothing more once all are
    tried, which ends a run. Parameters that a choice makes inactive do not multiply the points.

    Args:
        n_steps: values of a parameter that has infinitely many: its prior's quantiles at the
            middles of n_steps equal parts. Of other parameters, every value is tried.
        grids: {label: values} for the parameters that shall have other values; of a choice, the
            indices of its options.
        shuffle: try the points in random order. Otherwise the parameter that stands last in the
            space, or in an option, changes fastest.

    Raises:
        InvalidArgument: an option is out of range; from `suggest`: `grids` does not fit the space,
            or the grid has more than a million points.
    """

    n_steps: int = 10
    grids: Mapping[str, Sequence[float]] | None = None
    shuffle: bool = False

    def __post_init__(self) -> None:
        several = is_whole(self.n_steps) and self.n_steps >= 1
        require(self, "n_steps", several, "an integer >= 1")
        labelled = isinstance(self.grids, (Mapping, type(None)))
        wanted = "a dict {label: values}, for example {'x': [0.1, 1, 10]}"
        require(self, "grids", labelled, wanted)
        require(self, "shuffle", isinstance(self.shuffle, bool), "True or False")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """Up to n rows, shape (<= n, d); fewer where no more are left."""
        points = _Points(space, self._values(space))
        order = rng.permutation(len(points)) if self.shuffle else np.arange(len(points))
        seen = {row.tobytes() for row in history.X}
        X = points.rows(order[: n + len(seen)])  # at most len(seen) of them are not new
        new = [i for i, row in enumerate(X) if row.tobytes() not in seen]
        return X[new[:n]]

    def _values(self, space: Space) -> list[Array]:
        """The values to try of each column."""
        grids = dict(self.grids or {})
        if unknown := [label for label in grids if label not in space.labels]:
            raise InvalidArgument(
                f"grid.suggest: grids has the unknown parameter {', '.join(map(repr, unknown))}; "
                f"the space has {', '.join(map(repr, space.labels))}"
            )
        return [
            _given(space, j, grids[column.label])
            if column.label in grids
            else self._default(column)
            for j, column in enumerate(space.columns)
        ]

    def _default(self, column: Column) -> Array:
        """The values of a parameter without a grid from the user."""
        prior = column.distribution
        if isinstance(prior, Categorical):
            return np.flatnonzero(prior.p).astype(float)
        if not prior.q or not isfinite(prior.size):
            return np.unique(prior.ppf((np.arange(self.n_steps) + 0.5) / self.n_steps))
        if prior.size > LARGEST:
            raise _too_large(f"{column.label!r} alone has {prior.size:.0f}")
        first, last = (round(bound / prior.q) for bound in prior.support)
        return np.arange(first, last + 1, dtype=np.float64) * prior.q


def _given(space: Space, j: int, values: Any) -> Array:
    """A user's values of column j, each once."""
    label = space.labels[j]
    if isinstance(values, (str, Mapping)) or not hasattr(values, "__iter__"):
        raise InvalidArgument(f"grid.suggest: grids[{label!r}] must be a list, got {values!r}")
    numbers = dict.fromkeys(float(space.encode({label: value})[j]) + 0.0 for value in values)
    if not numbers:
        raise InvalidArgument(f"grid.suggest: grids[{label!r}] is empty; give at least one value")
    return np.array(list(numbers))


def _too_large(what: str) -> InvalidArgument:
    return InvalidArgument(
        f"grid.suggest: the grid has more than {LARGEST:,} points ({what}); lower n_steps, give "
        "fewer values in grids={label: values}, or use another algorithm"
    )


class _Points:
    """The points of a grid in order, each found by its index.

    Raises:
        InvalidArgument: they are more than a million.
    """

    def __init__(self, space: Space, values: list[Array]) -> None:
        self._values = values
        self._always = [not column.conditions for column in space.columns]
        self._order = _choices_before_their_own(space)
        self._ways, ends = self._walked(space)
        self._beyond = [dict.fromkeys(ends, 1)]
        for ways in reversed(self._ways):
            after = self._beyond[0]
            self._beyond.insert(0, {state: sum(after[t] for t in to) for state, to in ways.items()})

    def __len__(self) -> int:
        return sum(self._beyond[0].values())

    def rows(self, indices: NDArray[np.intp]) -> Array:
        """The points at these indices, shape (len(indices), d)."""
        X = np.full((len(indices), len(self._values)), np.nan)
        rest = indices.copy()  # index among the points that go on from a row's state
        standing: dict[State, NDArray[np.intp]] = {frozenset(): np.arange(len(indices))}
        for step, (j, ways) in enumerate(zip(self._order, self._ways, strict=True)):
            moved: dict[State, list[NDArray[np.intp]]] = {}
            for state, rows in standing.items():
                to = ways[state]
                ends = np.cumsum([self._beyond[step + 1][after] for after in to])
                k = np.searchsorted(ends, rest[rows], side="right")
                rest[rows] -= np.insert(ends, 0, 0)[k]
                if self._always[j] or j in state:
                    X[rows, j] = self._values[j][k]
                names = {after: i for i, after in enumerate(dict.fromkeys(to))}
                which = np.array([names[after] for after in to])[k]
                for after, i in names.items():
                    moved.setdefault(after, []).append(rows[which == i])
            standing = {state: np.concatenate(parts) for state, parts in moved.items()}
        return X

    def _walked(self, space: Space) -> tuple[list[dict[State, list[State]]], Iterable[State]]:
        """The ways of every step, and the states after the last."""
        opened: dict[tuple[int, float], State] = {}
        for i, column in enumerate(space.columns):
            for condition in column.conditions:
                opened[condition] = opened.get(condition, frozenset()) | {i}
        walks = Counter({frozenset[int](): 1})  # number of walks that end in each state
        all_ways = []
        for j in self._order:
            opens = [opened.get((j, value), frozenset()) for value in self._values[j].tolist()]
            ways = {
                state: [(state - {j}) | more for more in opens]
                if self._always[j] or j in state
                else [state]
                for state in walks
            }
            walks = _moved(walks, ways)
            if walks.total() > LARGEST:
                raise _too_large(_sizes(space, self._values))
            all_ways.append(ways)
        return all_ways, walks


def _choices_before_their_own(space: Space) -> list[int]:
    """The columns in an order in which a choice comes directly before those that depend on it, so
    that walks soon come together again.
    """
    parents = [{parent for parent, _ in column.conditions} for column in space.columns]
    placed: dict[int, None] = {}

    def place(j: int) -> None:
        placed[j] = None
        for i, needed in enumerate(parents):
            if i not in placed and j in needed and needed <= placed.keys():
                place(i)

    for j in range(len(parents)):
        if j not in placed:
            place(j)
    return list(placed)


def _moved(walks: Counter[State], ways: dict[State, list[State]]) -> Counter[State]:
    """The number of walks in each state, one step further on."""
    moved: Counter[State] = Counter()
    for state, number in walks.items():
        for after in ways[state]:
            moved[after] += number
    return moved


def _sizes(space: Space, values: list[Array]) -> str:
    sizes = zip(space.labels, values, strict=True)
    return "values: " + ", ".join(f"{label!r} {len(each)}" for label, each in sizes)


suggest = Grid()
"""Grid search with its defaults: `fmin(..., algo=grid.suggest)`."""
