"""A user's belief about the location of good values.

The acquisition is multiplied by a power of the belief's density. The exponent decreases with the
square of the number of trials (in Hvarfner et al. 2022, arXiv:2204.11051, with the number itself).
A correct belief saves trials, and a wrong one has no lasting effect.

    t   (n,)   distance of a parameter's values from the belief's centre, in units of its width; for
               a uniform belief, the distance from the nearer bound, and 0 inside
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.errors import BadSearchSpace, InvalidArgument, brief
from sparktune.samplers import Sampler
from sparktune.samplers._options import name_of, with_options
from sparktune.space.distributions import Array, Categorical, Distribution, Numeric
from sparktune.space.expression import Apply
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
        """The belief given as {label: hp.* parameter}.

        Raises:
            InvalidArgument: `prior` has another form, or a key differs from its parameter's label.
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
        if others := [label for label in prior if not isinstance(prior[label], Apply)]:
            raise InvalidArgument(
                f"prior: {others[0]!r} must be given by a parameter such as "
                f"hp.normal({others[0]!r}, 0, 1), got {brief(prior[others[0]])}"
            )
        found = {column.label: column.distribution for column in columns}
        if set(found) != set(prior):
            raise InvalidArgument(
                f"prior: each key must equal the label of its parameter; the keys are "
                f"{sorted(map(str, prior))}, the labels {sorted(found)}"
            )
        return Belief(tuple(found.items()))

    def check(self, space: Space) -> None:
        """Check that the belief fits a space.

        Raises:
            InvalidArgument: the space lacks one of the parameters, or has another kind of it.
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
        """n rows drawn from the belief; parameters without one are drawn from the space."""
        return self._rows(space, rng.random((n, len(space))))

    def centre(self, space: Space) -> Array:
        """The row (d,) of all medians."""
        row: Array = self._rows(space, np.full((1, len(space)), 0.5))[0]
        return row

    def log_density(self, space: Space, X: Array) -> Array:
        """The log density at the rows X (n, d), shape (n,), less its maximum. Inactive parameters
        add nothing.
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
        InvalidArgument: the belief does not fit the space, or the sampler cannot use one.
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
    """The belief in a sampler's option `prior`."""
    if prior is None or isinstance(prior, Belief):
        return prior
    return Belief.read(prior)


def _values(own: Distribution, believed: Distribution | None, u: Array) -> Array:
    """A parameter's values at the quantiles u of the belief."""
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
