"""Forests of regression trees with a variance in each leaf (Hutter et al. 2014, "Algorithm runtime
prediction", section 4.3.2), as in SMAC.

    T             trees
    m_t, v_t      mean and variance of the observations in the leaf of tree t
    mean          mean of m_t
    var           mean of v_t + variance of m_t (the law of total variance)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.surrogates import Array
from sparktune.surrogates.warping import centred, warped

_LEAST = 1e-6
"""The smallest variance, of observations whose variance is 1."""


@dataclass(frozen=True)
class Forest:
    """A random forest, or extremely randomised trees. Needs scikit-learn.

    Args:
        trees: T.
        extra: whether the thresholds of splits are drawn at random (Geurts et al. 2006), and all
            trees see all observations.
        features: the share of the features that a split chooses from.
        warp: as in `GP`.
    """

    trees: int = 16
    extra: bool = False
    features: float = 5 / 6
    warp: bool = False

    def fit(self, Z: Array, y: Array, rng: np.random.Generator) -> Trees:
        """The posterior after observing y (n,) at the rows of Z (n, p); n >= 1. An infinite
        observation is one that failed; it counts as worse than the worst.

        Raises:
            ImportError: scikit-learn is not installed.
        """
        y, offset, scale = (warped(y), 0.0, 1.0) if self.warp else centred(y)
        seed = int(rng.integers(2**31 - 1))
        model = self._model(seed).fit(Z, y)
        return Trees(model, Z, y, offset, scale)

    def _model(self, seed: int) -> Any:
        try:
            from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
        except ImportError as error:
            raise ImportError(
                "a forest needs scikit-learn; install it with: pip install 'sparktune[sklearn]'"
            ) from error
        kind = ExtraTreesRegressor if self.extra else RandomForestRegressor
        return kind(self.trees, max_features=self.features, min_samples_split=3, random_state=seed)


@dataclass(frozen=True, eq=False)
class Trees:
    """The posterior of a forest; `y` are the observations, in units of `scale` from `offset`."""

    model: Any
    Z: Array
    y: Array
    offset: float
    scale: float

    @cached_property
    def fitted(self) -> Array:
        """The mean of f at the observed rows, shape (n,)."""
        return self.predict(self.Z)[0]

    def predict(self, Z: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f, both (m,), at the rows of Z (m, p)."""
        mean, var = moments(self.model, Z)
        sd = np.sqrt(np.maximum(var, _LEAST))
        return self.offset + self.scale * mean, self.scale * sd

    def sample(self, Z: Array, n: int, rng: np.random.Generator) -> Array:
        """n joint draws of f at the rows of Z (m, p), shape (n, m). Each is from one tree, with one
        number for each leaf.
        """
        leaves = self.model.apply(Z).T
        means, variances = leaves_of(self.model, Z)
        trees = rng.integers(len(leaves), size=n)
        draws = np.empty((n, len(Z)))
        for draw, t in zip(draws, trees, strict=True):
            noise = rng.standard_normal(int(leaves[t].max(initial=0)) + 1)
            draw[:] = means[t] + np.sqrt(variances[t]) * noise[leaves[t]]
        found: Array = self.offset + self.scale * draws
        return found

    def residuals(self) -> Array:
        """Each observation less its prediction from the trees that were made without it, in
        standard deviations of that prediction, shape (n,); NaN if there is no such tree.
        """
        means, variances = leaves_of(self.model, self.Z)
        seen = self._seen()
        means, variances = np.where(seen, np.nan, means), np.where(seen, np.nan, variances)
        found = np.full(len(self.y), np.nan)
        some = ~seen.all(axis=0)
        mean = np.nanmean(means[:, some], axis=0)
        var = np.nanmean(variances[:, some], axis=0) + np.nanvar(means[:, some], axis=0)
        found[some] = (self.y[some] - mean) / np.sqrt(np.maximum(var, _LEAST))
        return found

    def leaves(self, Z: Array) -> NDArray[np.intp]:
        """The leaf of each row of Z (m, p) in each tree, shape (m, T)."""
        found: NDArray[np.intp] = self.model.apply(Z)
        return found

    def _seen(self) -> NDArray[np.bool_]:
        """Whether each tree was made with each observation, shape (T, n)."""
        seen = np.zeros((len(self.model.estimators_), len(self.y)), dtype=bool)
        for row, drawn in zip(seen, self.model.estimators_samples_, strict=True):
            row[drawn] = True
        return seen


def shared(one: NDArray[np.intp], other: NDArray[np.intp]) -> Array:
    """The share of the trees in which rows with leaves `one` (n, T) and `other` (m, T) are in one
    leaf, shape (n, m).
    """
    found: Array = np.zeros((len(one), len(other)))
    for mine, yours in zip(one.T, other.T, strict=True):
        found += mine[:, None] == yours
    shares: Array = found / one.shape[1]
    return shares


def moments(model: Any, Z: Array, least: float = 0.0) -> tuple[Array, Array]:
    """Mean and variance of the loss, both (m,), at the rows of Z (m, p) by the leaves of a forest;
    the variance in a leaf is at least `least`.
    """
    means, variances = leaves_of(model, Z)
    return means.mean(axis=0), np.maximum(variances, least).mean(axis=0) + means.var(axis=0)


def leaves_of(model: Any, Z: Array) -> tuple[Array, Array]:
    """m_t and v_t at the rows of Z, shapes (T, m). The trees are called one by one, because
    scikit-learn's forest would need longer to distribute them to threads.
    """
    numbers = np.ascontiguousarray(Z, dtype=np.float32)
    trees = [each.tree_ for each in model.estimators_]
    pairs = [(tree, tree.apply(numbers)) for tree in trees]
    means = np.array([tree.value[leaf, 0, 0] for tree, leaf in pairs])
    variances = np.array([tree.impurity[leaf] for tree, leaf in pairs])
    return means, np.maximum(variances, 0.0)
