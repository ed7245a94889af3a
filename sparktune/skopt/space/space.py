"""`Space`: a list of dimensions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.categorical import Categorical
from sparktune.skopt.space.dimension import Dimension, generator
from sparktune.skopt.space.notation import check_dimension
from sparktune.skopt.space.numeric import Integer, Real

_ROUNDS = 10_000
"""The largest number of rounds of draws for points that satisfy a constraint."""

Constraint = Callable[[list[Any]], bool]


class Space:
    """A search space, which is a list of dimensions.

    Args:
        dimensions: a list of `Real`, `Integer`, `Categorical` or the short notations of
            `check_dimension`; or a `Space`.
        constraint: a function that returns whether a point is allowed; None: all points are.

    Raises:
        ValueError: dimensions is not a list, a dimension is invalid, or constraint is not callable.
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
        """The names of the dimensions; X_i for dimension i if it has no name."""
        return [f"X_{i}" if d.name is None else d.name for i, d in enumerate(self.dimensions)]

    @dimension_names.setter
    def dimension_names(self, names: Sequence[str | None]) -> None:
        if len(names) != len(self.dimensions):
            raise InvalidArgument(f"{len(names)} names for {len(self.dimensions)} dimensions")
        for dimension, name in zip(self.dimensions, names, strict=True):
            dimension.name = name

    def __getitem__(self, names: Any) -> Any:
        """Return (index, dimension) for a name or an index, or a list of such pairs for several
        names. For an unknown name the pair is (None, None).
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
        """Draw n points from the priors; all of them satisfy the constraint.

        Raises:
            RuntimeError: after 10,000 rounds of draws too few points satisfy the constraint.
        """
        rng = generator(random_state)
        if self.constraint is None:
            return self._draw(n_samples, rng)
        allowed: list[list[Any]] = []
        for _ in range(_ROUNDS):
            drawn = self._draw(max(n_samples - len(allowed), 1), rng)
            allowed += [point for point in drawn if self.constraint(point)]
            if len(allowed) >= n_samples:
                return allowed[:n_samples]
        raise RuntimeError(
            f"after {_ROUNDS} draws from the space too few points satisfy its constraint; make the "
            "space smaller or the constraint weaker"
        )

    def _draw(self, n: int, rng: np.random.RandomState) -> list[list[Any]]:
        columns = [_plain(dimension.draw(n, rng)) for dimension in self.dimensions]
        return [list(point) for point in zip(*columns, strict=True)] if columns else [[]] * n

    def __contains__(self, point: Any) -> bool:
        if len(point) != len(self.dimensions):
            return False
        if not all(x in d for x, d in zip(point, self.dimensions, strict=True)):
            return False
        return self.constraint is None or bool(self.constraint(point))

    def distance(self, point_a: Sequence[Any], point_b: Sequence[Any]) -> float:
        """Return the distance between two points: the sum of the distances in each dimension."""
        pairs = zip(self.dimensions, point_a, point_b, strict=True)
        return sum(d.distance(a, b) for d, a, b in pairs)

    def transform(self, X: Sequence[Sequence[Any]]) -> Any:
        """Transform n points to the features (n, p) of models."""
        columns = [
            np.asarray(dimension.transform([point[j] for point in X])).reshape(len(X), -1)
            for j, dimension in enumerate(self.dimensions)
        ]
        return np.hstack(columns) if columns else np.empty((len(X), 0))

    def inverse_transform(self, Xt: Any) -> list[list[Any]]:
        """Convert transformed points (n, p) back to n points."""
        Xt = np.asarray(Xt)
        columns, first = [], 0
        for dimension in self.dimensions:
            last = first + dimension.transformed_size
            part = Xt[:, first] if last == first + 1 else Xt[:, first:last]
            columns.append(_plain(dimension.inverse_transform(part)))
            first = last
        return [list(point) for point in zip(*columns, strict=True)]

    # Properties

    @property
    def n_dims(self) -> int:
        """The number of dimensions."""
        return len(self.dimensions)

    @property
    def transformed_n_dims(self) -> int:
        """The number of transformed columns."""
        return sum(each.transformed_size for each in self.dimensions)

    @property
    def bounds(self) -> list[Any]:
        """The bounds of each dimension."""
        return [each.bounds for each in self.dimensions]

    @property
    def transformed_bounds(self) -> list[Any]:
        """The bounds of each transformed column."""
        every: list[Any] = []
        for each in self.dimensions:
            bounds = each.transformed_bounds
            every += bounds if isinstance(bounds, list) else [bounds]
        return every

    @property
    def is_real(self) -> bool:
        """Whether all dimensions are `Real`."""
        return all(isinstance(each, Real) for each in self.dimensions)

    @property
    def is_categorical(self) -> bool:
        """Whether all dimensions are `Categorical`."""
        return all(isinstance(each, Categorical) for each in self.dimensions)

    @property
    def is_partly_categorical(self) -> bool:
        """Whether any dimension is `Categorical`."""
        return any(isinstance(each, Categorical) for each in self.dimensions)

    @property
    def n_constant_dimensions(self) -> int:
        """The number of dimensions with only one value."""
        return sum(each.is_constant for each in self.dimensions)

    # Transformations

    def set_transformer(self, transform: str | Sequence[str]) -> None:
        """Set one transformation for all dimensions, or one for each dimension."""
        given = [transform] * len(self) if isinstance(transform, str) else list(transform)
        for dimension, each in zip(self.dimensions, given, strict=True):
            dimension.set_transformer(each)

    def set_transformer_by_type(self, transform: str, dim_type: type) -> None:
        """Set the transformation of all dimensions of one type."""
        for dimension in self.dimensions:
            if isinstance(dimension, dim_type):
                dimension.set_transformer(transform)

    def get_transformer(self) -> list[str]:
        """Return the name of the transformation of each dimension."""
        return [each.transform_ for each in self.dimensions]

    # Conversions from files and tables

    @classmethod
    def from_yaml(cls, yml_path: str | os.PathLike[str], namespace: str | None = None) -> Space:
        """Read a space from a YAML file.

        The key `namespace` of the file, or its first key if there is no namespace, holds a list of
        dimensions such as `{Real: {low: 0.0, high: 1.0}}`.

        Raises:
            ImportError: pyyaml is not installed.
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
        """Return a space with a dimension for each column of a pandas DataFrame: the range of a
        numeric column, the distinct values of any other. Options are dicts {column name: value}.
        """
        priors, bases, transforms = priors or {}, bases or {}, transforms or {}
        dimensions: list[Dimension] = []
        for name in df.columns:
            column, transform = df[name], transforms.get(name)
            if column.dtype.kind not in "iuf":
                values = list(column.unique())
                dimensions.append(Categorical(values, priors.get(name), transform, name=name))
                continue
            kind: Any = Real if column.dtype.kind == "f" else Integer
            low, high = column.min().item(), column.max().item()
            prior, base = priors.get(name, "uniform"), bases.get(name, 10)
            dimensions.append(kind(low, high, prior, base, transform, name=name))
        return cls(dimensions)


def _plain(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values  # type: ignore[no-any-return]
