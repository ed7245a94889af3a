"""The share of the variance of the loss that each parameter explains: functional ANOVA of a random
forest.

Source: F. Hutter, H. Hoos, K. Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter
Importance", ICML 2014. A tree is constant on each leaf, a box. The marginal of a parameter, the
mean over all other parameters, and its variance are therefore sums over leaves.

Notation:

    U          (n, d)  trials in the unit cube, uniform measure
    lower, upper   (L, d)  corners of the L leaves
    volume     (L,)    of the leaves
    f          (L,)    the tree's prediction in each leaf
    V_j / V    variance of the marginal of parameter j, as a share of the tree's variance
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.results.packages import require
from sparktune.space.distributions import Array

_LEAST = 10  # smallest number of trials with a loss
_TREES = 64
_DRAWN = 2000  # most trials per tree; beyond that, more trees help more than larger ones


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares of the variance of the loss, the most important parameter first.

    labels     the d parameters that took more than one value
    share      (d,)  mean of V_j / V over the trees
    low, high  (d,)  quartiles over the trees
    rest       share that no single parameter explains: interactions, and noise that the forest fits
    trials     number of trials that the forest was grown on
    """

    labels: tuple[str, ...]
    share: Array
    low: Array
    high: Array
    rest: float
    trials: int


def importance(units: Mapping[str, Array], loss: Array) -> Importance:
    """The share of the variance of the loss that each parameter explains by itself.

    The forest always has the same seed. Each tree is grown on at most 2,000 trials, so that the
    time hardly depends on the number of trials.

    Args:
        units: {label: (n,)} the values of the parameters in n trials, scaled to [0, 1] such that
            equal intervals have equal weight.
        loss: (n,) the finite losses of these trials.

    Raises:
        InvalidArgument: there are fewer than 10 trials, all losses are equal, or no parameter took
            two values.
        ImportError: scikit-learn is missing.
    """
    if len(loss) < _LEAST:
        raise InvalidArgument(
            f"importance needs at least {_LEAST} trials with a finite loss, got {len(loss)}"
        )
    varied = {label: u for label, u in units.items() if np.ptp(u) > 0}
    if not varied or np.ptp(loss) == 0:
        what = "all losses are equal" if varied else "no parameter took two different values"
        raise InvalidArgument(f"importance cannot be computed: {what}")
    shares = np.array([_shares(tree) for tree in _trees(np.column_stack([*varied.values()]), loss)])
    order = np.argsort(-shares.mean(axis=0), kind="stable")
    low, high = np.quantile(shares, (0.25, 0.75), axis=0)[:, order]
    mean = shares.mean(axis=0)[order]
    labels = [*varied]
    rest = max(0.0, 1.0 - float(mean.sum()))
    return Importance(tuple(labels[j] for j in order), mean, low, high, rest, len(loss))


def _trees(U: Array, loss: Array) -> list[Any]:
    """The trees of a random forest."""
    require("sklearn", "importance", "scikit-learn", "sklearn")
    from sklearn.ensemble import RandomForestRegressor  # type: ignore[import-untyped, unused-ignore]

    drawn = _DRAWN if len(loss) > _DRAWN else None  # None: all trials
    forest = RandomForestRegressor(_TREES, max_samples=drawn, random_state=0).fit(U, loss)
    return [each.tree_ for each in forest.estimators_]


def _shares(tree: Any) -> Array:
    """V_j / V of one tree; zeros where the tree is constant."""
    lower, upper, f = _leaves(tree)
    width = upper - lower
    volume = width.prod(axis=1)
    mean = float(volume @ f)
    total = volume @ (f - mean) ** 2
    if total <= 0:
        return np.zeros(lower.shape[1])
    effects = [
        _effect(lower[:, j], upper[:, j], f * volume / width[:, j], mean)
        for j in range(lower.shape[1])
    ]
    shares: Array = np.array(effects) / total
    return shares


def _effect(lower: Array, upper: Array, weighted: Array, mean: float) -> float:
    """V_j, the variance of the marginal: a step function that changes by the weight of a leaf at
    both of its bounds.
    """
    edges = np.unique(np.concatenate([lower, upper]))
    steps = np.zeros(len(edges))
    np.add.at(steps, np.searchsorted(edges, lower), weighted)
    np.subtract.at(steps, np.searchsorted(edges, upper), weighted)
    marginal = np.cumsum(steps)[:-1]
    return float(np.diff(edges) @ (marginal - mean) ** 2)


def _leaves(tree: Any) -> tuple[Array, Array, Array]:
    """`lower`, `upper` and `f` of the leaves of a tree."""
    lower = np.zeros((tree.node_count, tree.n_features))
    upper = np.ones_like(lower)
    level = np.zeros(1, dtype=np.int64)  # the nodes of one depth, from the root on
    while len(inner := level[tree.children_left[level] >= 0]):
        left, right = tree.children_left[inner], tree.children_right[inner]
        for children in (left, right):
            lower[children], upper[children] = lower[inner], upper[inner]
        j = tree.feature[inner]
        upper[left, j] = lower[right, j] = tree.threshold[inner]
        level = np.concatenate([left, right])
    leaf = tree.children_left < 0
    return lower[leaf], upper[leaf], tree.value[leaf, 0, 0]
