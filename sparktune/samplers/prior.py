"""What a user believes of where good values are, beside what the space says is possible.

The belief's density multiplies what makes a point worth an evaluation, to a power that falls with
the square of the number of trials (Hvarfner et al. 2022, arXiv:2204.11051, has the number itself).
So a belief that is right saves trials, and one that is wrong is forgotten.

    t   (n,)   a parameter's values in units of the belief's width, from its centre; for a uniform
               belief from its nearer bound, 0 inside
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.errors import BadSearchSpace, InvalidArgument
from sparktune.samplers import Sampler
from sparktune.samplers._options import name_of, with_options
from sparktune.space.distributions import Array, Categorical, Distribution, Numeric
from sparktune.space.space import Space

_LEAST = 1e-3
"""Smallest probability of an option, as a share of the largest one."""

_EDGE = 0.25
"""Width of the edges of a uniform belief, as a share of its range."""


@dataclass(frozen=True)
class Belief:
    """Distributions of some parameters, by label."""

    of: tuple[tuple[str, Distribution], ...]

    @staticmethod
    def read(prior: Any) -> Belief:
        """The belief that {label: hp.* parameter} states.

        Raises:
            InvalidArgument: it is something else, or a label is not that of its parameter.
        """
        if not isinstance(prior, Mapping) or not prior:
            raise InvalidArgument(
                "prior must be {label: hp.* parameter}, such as "
                f'{{"lr": hp.lognormal("lr", log(1e-3), 1)}}, got {prior!r}'
            )
        try:
            columns = Space(dict(prior)).columns
        except BadSearchSpace as error:
            raise InvalidArgument(f"prior: {error}") from None
        found = {column.label: column.distribution for column in columns}
        if set(found) != set(prior):
            raise InvalidArgument(
                f"prior: each parameter must have the label that it stands at; there are "
                f"{sorted(map(str, prior))} with the labels {sorted(found)}"
            )
        return Belief(tuple(found.items()))

    def check(self, space: Space) -> None:
        """
        Raises:
            InvalidArgument: it is about parameters that the space has not, or not of this kind.
        """
        columns = {column.label: column.distribution for column in space.columns}
        for label, believed in self.of:
            if label not in columns:
                raise InvalidArgument(
                    f"prior: the space has no parameter {label!r}; it has {', '.join(columns)}"
                )
            own = columns[label]
            both = isinstance(own, Categorical), isinstance(believed, Categorical)
            if both[0] != both[1] or (all(both) and own.size != believed.size):
                raise InvalidArgument(
                    f"prior: {label!r} is a {own} in the space, which {believed} cannot describe; "
                    "a choice needs a choice with as many options, a number a number"
                )

    def sample(self, space: Space, rng: np.random.Generator, n: int) -> Array:
        """n rows drawn from the belief, and from the space where it says nothing."""
        return self._rows(space, rng.random((n, len(space))))

    def centre(self, space: Space) -> Array:
        """The row (d,) in the middle of everything."""
        row: Array = self._rows(space, np.full((1, len(space)), 0.5))[0]
        return row

    def log_density(self, space: Space, X: Array) -> Array:
        """At the rows X (n, d), shape (n,), 0 where it is largest. Inactive parameters add
        nothing.
        """
        found = np.zeros(len(X))
        for label, believed in self.of:
            found += np.nan_to_num(_log_density(believed, X[:, space.labels.index(label)]))
        return found

    def _rows(self, space: Space, U: Array) -> Array:
        believed = dict(self.of)
        X = np.empty(U.shape)
        for j, column in enumerate(space.columns):
            given = believed.get(column.label)
            X[:, j] = _values(column.distribution, given, U[:, j])
        return space.masked(X)


def with_prior(sampler: Sampler, space: Space, prior: Any) -> Sampler:
    """The sampler with a belief {label: hp.* parameter}.

    Raises:
        InvalidArgument: the belief does not fit the space, or the sampler can have none.
    """
    belief = Belief.read(prior)
    belief.check(space)
    chosen: Any = sampler
    if "prior" not in getattr(chosen, "__dataclass_fields__", ()):
        raise InvalidArgument(
            f'prior= is for sampler="auto" and sampler="gp"; {name_of(sampler)} cannot use it'
        )
    return with_options(sampler, prior=belief)


def read(prior: Any) -> Belief | None:
    """The belief that a sampler's option `prior` states."""
    if prior is None or isinstance(prior, Belief):
        return prior
    return Belief.read(prior)


def _values(own: Distribution, believed: Distribution | None, u: Array) -> Array:
    """Values of a parameter at probabilities u of what is believed of it."""
    if believed is None or isinstance(own, Categorical):
        return (own if believed is None else believed).ppf(u)
    return own.from_latent(own.to_latent(believed.ppf(u)))


def _log_density(believed: Distribution, x: Array) -> Array:
    if isinstance(believed, Categorical):
        p = np.array(believed.p) / max(believed.p)
        options: Array = np.log(np.maximum(p, _LEAST))[np.nan_to_num(x).astype(int)]
        return np.where(np.isnan(x), np.nan, options)
    z = _latent(believed, x)
    if believed.normal:
        t = (z - believed.centre) / believed.scale
    else:
        outside = np.maximum(believed.low - z, z - believed.high)
        t = np.maximum(outside, 0.0) / (_EDGE * believed.scale)
    found: Array = -0.5 * t**2
    return found


def _latent(believed: Numeric, x: Array) -> Array:
    return np.log(np.maximum(x, 1e-300)) if believed.log else x
