"""Branches of a conditional space. TPE first draws the choices on which other parameters depend,
and then the other parameters within this branch.

Rows of different branches have different parameters, whose densities cannot be compared. Therefore
only the choices decide between branches. The more trials a branch has, the better it must be to get
further ones.

    branch   {column: option} of those choices that are active
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
"""Number of branches that are drawn for each suggestion; the best is used. With many draws it would
be the same branch for a long time. With few, runs also leave a branch that is good from the start
for one with better points.
"""

_AT_ONCE = 8
"""Largest number of branches for suggestions that are made at once, because each needs a model."""


def drawn(
    below: Parzen, above: Parzen, n: int, rng: np.random.Generator
) -> list[tuple[Branch, int]]:
    """The branches of n suggestions, and the number of suggestions in each."""
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
    """Whether each row of X is in the branch, shape (len(X),). No other choice is active in it."""
    mine = np.ones(len(X), dtype=bool)
    for j, k in branch.items():
        mine &= X[:, j] == k
    return mine
