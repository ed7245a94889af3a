"""Points near other points, in any space: the steps of a search for the largest acquisition."""

from __future__ import annotations

import numpy as np

from sparktune.samplers._embedding import Embedding
from sparktune.space.distributions import Array, Categorical, Distribution
from sparktune.space.space import Space

_SD = (0.01, 0.3)
"""Smallest and largest standard deviation of a move, in units of u."""

_OPTIONS = 32
"""Largest number of options of a choice that are tried from one point."""

_MOVED = 3
"""Largest mean number of parameters that are moved at once."""


def perturbed(embedding: Embedding, X: Array, known: Array, rng: np.random.Generator) -> Array:
    """A point near each row of X (n, d). Some of its numbers are moved, and some of its choices
    drawn again. Parameters that become active get values as in `filled`.
    """
    space, layout = embedding.space, embedding.layout
    n, d = X.shape
    X = _complete(space, X, known, rng)
    changed = rng.random((n, d)) < rng.integers(1, _MOVED + 1, (n, 1)) / d
    changed[np.arange(n), rng.integers(d, size=n)] = True
    sd = np.exp(rng.uniform(np.log(_SD[0]), np.log(_SD[1]), (n, 1)))
    # A step that is much smaller than a cell of a grid leads nowhere.
    sd = np.maximum(sd, 0.7 * embedding.steps)
    new = _unmasked(space, rng, n)
    new[:, layout.numeric] = embedding.values(
        embedding.unit(X) + sd * rng.standard_normal((n, len(layout.numeric)))
    )
    return space.masked(np.where(changed, new, X))


def neighbours(space: Space, row: Array, rng: np.random.Generator) -> Array:
    """The points that differ from a row in one choice, or by 1, 2, 4, ... steps in one parameter on
    a grid, shape (k, d). Of more than 32 options, 32 random ones are used. Parameters that become
    active are NaN, and must be filled.
    """
    found = []
    for j, column in enumerate(space.columns):
        if np.isnan(row[j]) or not np.isfinite(column.distribution.size):
            continue
        others = _others(column.distribution, row[j])
        if len(others) > _OPTIONS:
            others = rng.choice(others, _OPTIONS, replace=False)
        rows = np.repeat(row[None], len(others), axis=0)
        rows[:, j] = others
        found.append(rows)
    return np.vstack([np.empty((0, len(space))), *found])


def filled(space: Space, X: Array, known: Array, rng: np.random.Generator) -> Array:
    """The rows X with values for all active parameters. Missing ones are from one of the rows
    `known`, or, half of the time or if they are inactive there, drawn from the prior.
    """
    return space.masked(_complete(space, X, known, rng))


def _others(distribution: Distribution, x: float) -> Array:
    if isinstance(distribution, Categorical):
        options: Array = np.flatnonzero(distribution.p).astype(float)
        rest: Array = options[options != x]
        return rest
    low, high = distribution.support
    q = distribution.q or 1.0
    steps = 2 ** np.arange(1 + int(np.log2(max((high - low) / q, 1.0))))
    others: Array = np.round(x / q + np.concatenate([-steps, steps])) * q + 0.0
    return np.unique(others[(others >= low) & (others <= high)])


def _complete(space: Space, X: Array, known: Array, rng: np.random.Generator) -> Array:
    """The rows X with a value for every parameter, active or not."""
    values = _unmasked(space, rng, len(X))
    if len(known):
        taken = known[rng.integers(len(known), size=len(X))]
        fresh = np.isnan(taken) | (rng.random((len(X), 1)) < 0.5)
        values = np.where(fresh, values, taken)
    return np.where(np.isnan(X), values, X)


def _unmasked(space: Space, rng: np.random.Generator, n: int) -> Array:
    """n draws from the prior in which inactive parameters have values too."""
    U = rng.random((n, len(space)))
    for j, column in enumerate(space.columns):
        U[:, j] = column.distribution.ppf(U[:, j])
    return U
