"""`Categorical`: a dimension of categories."""

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
    """A dimension of categories, which can be any Python objects.

    Args:
        categories: the categories.
        prior: the probability of each category; None: all categories are equally likely.
        transform: how categories are transformed for models: "onehot", "label" (0, 1, ...),
            "string", "identity", or "normalize" (labels scaled to [0, 1]).
        name: the name for `use_named_args` and plots.

    Raises:
        ValueError: there are no categories, or an option is invalid.
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
        """Set the transformation: "onehot", "label", "string", "identity" or "normalize"."""
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
        """Draw n categories from the prior, as a list. None: draw one category, which is in a list
        only if the transformation is "normalize".
        """
        drawn = self.draw(1 if n_samples is None else n_samples, generator(random_state))
        return drawn[0] if n_samples is None and self.transform_ != "normalize" else drawn

    def at(self, u: Any) -> list[Any]:
        """Return the categories at the quantiles u in (0, 1) of the prior."""
        edges = np.cumsum(self.prior_)[:-1]
        return [self.categories[i] for i in np.searchsorted(edges, np.asarray(u), side="right")]

    def position(self, value: Any) -> int:
        """Return the index of a category.

        Raises:
            ValueError: the value is not one of the categories.
        """
        for i, category in enumerate(self.categories):
            if key_of(category) == key_of(value):
                return i
        raise InvalidArgument(f"{value!r} is not one of the categories {self.categories!r}")

    def inverse_transform(self, Xt: Any) -> Any:
        """Convert transformed values to a list of categories."""
        values = super().inverse_transform(Xt)
        return values if isinstance(values, list) else list(values)

    @property
    def transformed_size(self) -> int:
        """The number of transformed columns."""
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
        """The bounds of the transformed values: (low, high), a list of pairs if there are several
        columns, or the categories for "string" and "identity".
        """
        n = self.transformed_size
        if self.transform_ == "label":
            return 0.0, float(len(self.categories) - 1)
        if self.transform_ in ("string", "identity"):
            return self.categories
        return (0.0, 1.0) if n == 1 else [(0.0, 1.0)] * n

    def distance(self, a: Any, b: Any) -> float:
        """Return 0 for equal categories, else 1.

        Raises:
            RuntimeError: a or b is not one of the categories.
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
        end = "," if len(shown) == 1 else ""
        return f"Categorical(categories=({', '.join(shown)}{end}), prior={prior})"
