"""A conditional space from the top down: the choices that other parameters depend on come first,
all others follow within the branch that they make.

Rows of different branches have different parameters, whose densities cannot be compared. So a
branch is judged by its choices alone, and one that is tried much has to be good for it.

    branch   {column: option} of the active ones among these choices
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparktune.samplers._parzen import Parzen
from sparktune.space.distributions import Array

Branch: TypeAlias = Mapping[int, int]

_DRAWS = 2
"""Branches that are drawn for each suggestion, of which the best is taken. With many it would be
the same one until it is tried too much; so runs leave a branch that is good at once for one that
leads to better points.
"""

_AT_ONCE = 8
"""Branches at most that suggestions made at once are from: each has to be modelled."""


def drawn(
    below: Parzen, above: Parzen, n: int, rng: np.random.Generator
) -> list[tuple[Branch, int]]:
    """The branches of n suggestions, and how many each gets."""
    parents, several = below.space.layout.parents, min(n, _AT_ONCE)
    X = below.sample(rng, several * _DRAWS)
    ratio = below.log_choices(X, parents) - above.log_choices(X, parents)
    best = np.round(ratio, 9).reshape(several, _DRAWS).argmax(axis=1)
    options = np.nan_to_num(X[best + np.arange(several) * _DRAWS][:, parents], nan=-1)
    counts: Counter[tuple[int, ...]] = Counter()
    for i, each in enumerate(options.astype(int).tolist()):
        counts[tuple(each)] += len(range(i, n, several))
    return [
        ({j: k for j, k in zip(parents, each, strict=True) if k >= 0}, count)
        for each, count in counts.items()
    ]


def inside(branch: Branch, X: Array) -> NDArray[np.bool_]:
    """Which rows X are of the branch, shape (len(X),). No other choice can be active in them."""
    mine = np.ones(len(X), dtype=bool)
    for j, k in branch.items():
        mine &= X[:, j] == k
    return mine
