"""`Categorical`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.dimension import Dimension, generator
from sparktune.skopt.space.transformers import (
    CategoricalEncoder,
    Identity,
    LabelEncoder,
    Normalize,
    Pipeline,
    StringEncoder,
    Transformer,
    key_of,
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

    def rvs(self, n_samples: int | None = None, random_state: Any = None) -> Any:
        """n categories drawn by their probabilities, as a list; None: one, which is in no list
        unless models see it normalised.
        """
        found = self.draw(1 if n_samples is None else n_samples, generator(random_state))
        return found[0] if n_samples is None and self.transform_ != "normalize" else found

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
        self._check_both(a, b)
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
