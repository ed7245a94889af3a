"""Spaces of several dimensions, and the short ways to write them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.categorical import Categorical
from sparktune.skopt.space.dimension import Dimension, generator
from sparktune.skopt.space.numeric import Integer, Real

_ROUNDS = 10_000
"""Draws at most for each point that a constraint allows."""

Constraint = Callable[[list[Any]], bool]


def check_dimension(dimension: Any, transform: str | None = None) -> Dimension:
    """The dimension that is meant: one already, or a list or tuple.

    `(low, high)` of integers or of numbers, `(low, high, prior)` and `(low, high, prior, base)` are
    ranges, where the prior is "uniform" or "log-uniform"; all others are categories.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(dimension, Dimension):
        return dimension
    if not isinstance(dimension, (list, tuple, np.ndarray)):
        raise InvalidArgument(
            f"Dimension has to be a list or tuple, got {dimension!r}; give (low, high), "
            "(low, high, 'log-uniform'), a list of categories, or Real, Integer or Categorical"
        )
    given = [each.item() if isinstance(each, np.generic) else each for each in dimension]
    if not _is_range(given):
        return Categorical(given, transform=transform)
    whole = all(isinstance(each, int) for each in given[:2])
    kind: Any = Integer if whole else Real
    return kind(*given, transform=transform)  # type: ignore[no-any-return]


def _is_range(given: Sequence[Any]) -> bool:
    if not 2 <= len(given) <= 4:
        return False
    low, high, *rest = given
    if any(isinstance(each, bool) or not isinstance(each, (int, float)) for each in (low, high)):
        return False
    if not rest:
        return True
    if len(rest) == 2:
        return rest[0] == "log-uniform" and isinstance(rest[1], (int, float))
    return rest[0] in ("uniform", "log-uniform")


class Space:
    """A list of dimensions.

    Args:
        dimensions: `Real`, `Integer`, `Categorical`, or what `check_dimension` makes one of; or a
            `Space`.
        constraint: a function of a point that says whether it may be.
    """

    dimensions: list[Dimension]
    constraint: Constraint | None

    def __init__(self, dimensions: Any, constraint: Constraint | None = None) -> None:
        if isinstance(dimensions, Space):
            constraint = dimensions.constraint if constraint is None else constraint
            dimensions = dimensions.dimensions
        if isinstance(dimensions, (str, Mapping)) or not isinstance(dimensions, Iterable):
            raise InvalidArgument(f"a space has to be a list of dimensions, got {dimensions!r}")
        self.dimensions = [check_dimension(each) for each in dimensions]
        if constraint is not None and not callable(constraint):
            raise InvalidArgument(
                f"a constraint must be a function of a point, or None, got {constraint!r}"
            )
        self.constraint = constraint

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.dimensions == other.dimensions

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [repr(each) for each in self.dimensions]
        if len(shown) > 31:
            shown = [*shown[:15], "...", *shown[-15:]]
        return "Space([{}])".format(",\n       ".join(shown))

    def __iter__(self) -> Iterator[Dimension]:
        return iter(self.dimensions)

    def __len__(self) -> int:
        return len(self.dimensions)

    # Names

    @property
    def dimension_names(self) -> list[str]:
        """The names; X_0, X_1, ... where there is none."""
        return [f"X_{i}" if d.name is None else d.name for i, d in enumerate(self.dimensions)]

    @dimension_names.setter
    def dimension_names(self, names: Sequence[str | None]) -> None:
        if len(names) != len(self.dimensions):
            raise InvalidArgument(f"{len(names)} names for {len(self.dimensions)} dimensions")
        for dimension, name in zip(self.dimensions, names, strict=True):
            dimension.name = name

    def __getitem__(self, names: Any) -> Any:
        """(index, dimension) by a name or an index, a list of them for several; (None, None) where
        there is none.
        """
        if isinstance(names, str) or not isinstance(names, Iterable):
            return self._named(names)
        return [self._named(name) for name in names]

    def _named(self, name: Any) -> tuple[int | None, Dimension | None]:
        for i, dimension in enumerate(self.dimensions):
            if name == dimension.name or (name == i and not isinstance(name, str)):
                return i, dimension
        return None, None

    # Points

    def rvs(self, n_samples: int = 1, random_state: Any = None) -> list[list[Any]]:
        """n points drawn from the priors that the constraint allows.

        Raises:
            RuntimeError: 10,000 draws in a row are not allowed.
        """
        rng = generator(random_state)
        if self.constraint is None:
            return self._drawn(n_samples, rng)
        found: list[list[Any]] = []
        for _ in range(_ROUNDS):
            drawn = self._drawn(max(n_samples - len(found), 1), rng)
            found += [point for point in drawn if self.constraint(point)]
            if len(found) >= n_samples:
                return found[:n_samples]
        raise RuntimeError(
            f"of {_ROUNDS} draws from the space too few satisfy its constraint; make the space "
            "smaller or the constraint weaker"
        )

    def _drawn(self, n: int, rng: np.random.RandomState) -> list[list[Any]]:
        columns = [_plain(dimension.draw(n, rng)) for dimension in self.dimensions]
        return [list(point) for point in zip(*columns, strict=True)] if columns else [[]] * n

    def __contains__(self, point: Any) -> bool:
        if len(point) != len(self.dimensions):
            return False
        if not all(x in d for x, d in zip(point, self.dimensions, strict=True)):
            return False
        return self.constraint is None or bool(self.constraint(point))

    def distance(self, point_a: Sequence[Any], point_b: Sequence[Any]) -> float:
        """The sum of the distances in the dimensions."""
        pairs = zip(self.dimensions, point_a, point_b, strict=True)
        return sum(d.distance(a, b) for d, a, b in pairs)

    def transform(self, X: Sequence[Sequence[Any]]) -> Any:
        """The numbers (n, p) of n points."""
        columns = [
            np.asarray(dimension.transform([point[j] for point in X])).reshape(len(X), -1)
            for j, dimension in enumerate(self.dimensions)
        ]
        return np.hstack(columns) if columns else np.empty((len(X), 0))

    def inverse_transform(self, Xt: Any) -> list[list[Any]]:
        """The points of numbers (n, p)."""
        Xt = np.asarray(Xt)
        columns, first = [], 0
        for dimension in self.dimensions:
            last = first + dimension.transformed_size
            part = Xt[:, first] if last == first + 1 else Xt[:, first:last]
            columns.append(_plain(dimension.inverse_transform(part)))
            first = last
        return [list(point) for point in zip(*columns, strict=True)]

    # What there is

    @property
    def n_dims(self) -> int:
        """Number of dimensions."""
        return len(self.dimensions)

    @property
    def transformed_n_dims(self) -> int:
        """Columns of numbers."""
        return sum(each.transformed_size for each in self.dimensions)

    @property
    def bounds(self) -> list[Any]:
        """Those of each dimension."""
        return [each.bounds for each in self.dimensions]

    @property
    def transformed_bounds(self) -> list[Any]:
        """Those of each column of numbers."""
        found: list[Any] = []
        for each in self.dimensions:
            bounds = each.transformed_bounds
            found += bounds if isinstance(bounds, list) else [bounds]
        return found

    @property
    def is_real(self) -> bool:
        """Whether all are `Real`."""
        return all(isinstance(each, Real) for each in self.dimensions)

    @property
    def is_categorical(self) -> bool:
        """Whether all are `Categorical`."""
        return all(isinstance(each, Categorical) for each in self.dimensions)

    @property
    def is_partly_categorical(self) -> bool:
        """Whether any is `Categorical`."""
        return any(isinstance(each, Categorical) for each in self.dimensions)

    @property
    def n_constant_dimensions(self) -> int:
        """Number of dimensions with only one value."""
        return sum(each.is_constant for each in self.dimensions)

    # How models see it

    def set_transformer(self, transform: str | Sequence[str]) -> None:
        """Choose one for all dimensions, or one for each."""
        given = [transform] * len(self) if isinstance(transform, str) else list(transform)
        for dimension, each in zip(self.dimensions, given, strict=True):
            dimension.set_transformer(each)

    def set_transformer_by_type(self, transform: str, dim_type: type) -> None:
        """Choose one for the dimensions of a type."""
        for dimension in self.dimensions:
            if isinstance(dimension, dim_type):
                dimension.set_transformer(transform)

    def get_transformer(self) -> list[str]:
        """The name of each dimension's."""
        return [each.transform_ for each in self.dimensions]

    # From elsewhere

    @classmethod
    def from_yaml(cls, yml_path: str | os.PathLike[str], namespace: str | None = None) -> Space:
        """The space in a YAML file: under `namespace`, or else its first key, a list of
        `{Real: {low: 0.0, high: 1.0}}` and the like.

        Raises:
            ImportError: there is no pyyaml.
        """
        try:
            import yaml
        except ImportError as error:
            raise ImportError("a space in YAML needs: pip install pyyaml") from error
        with open(yml_path, encoding="utf-8") as file:
            content: Mapping[str, Any] = yaml.safe_load(file)
        kinds: dict[str, Any] = {"Real": Real, "Integer": Integer, "Categorical": Categorical}
        entries = content[namespace or next(iter(content))]
        return cls([kinds[kind](**options) for entry in entries for kind, options in entry.items()])

    @classmethod
    def from_df(
        cls, df: Any, priors: Any = None, bases: Any = None, transforms: Any = None
    ) -> Space:
        """A dimension for each column of a pandas DataFrame: the range of its numbers, or its
        different values. The options are dicts by the names of columns.
        """
        priors, bases, transforms = priors or {}, bases or {}, transforms or {}
        found: list[Dimension] = []
        for name in df.columns:
            column, transform = df[name], transforms.get(name)
            if column.dtype.kind not in "iuf":
                values = list(column.unique())
                found.append(Categorical(values, priors.get(name), transform, name=name))
                continue
            kind: Any = Real if column.dtype.kind == "f" else Integer
            low, high = column.min().item(), column.max().item()
            prior, base = priors.get(name, "uniform"), bases.get(name, 10)
            found.append(kind(low, high, prior, base, transform, name=name))
        return cls(found)


def _plain(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values  # type: ignore[no-any-return]
