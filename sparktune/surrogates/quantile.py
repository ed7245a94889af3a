"""Quantiles of the loss by gradient boosting of trees (Friedman 2001), as in scikit-optimize.

q_16, q_50, q_84   quantiles at the places of a normal distribution's mean less its standard
                   deviation, its mean, and its mean and standard deviation
mean               q_50
sd                 (q_84 - q_16) / 2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.surrogates import Array
from sparktune.surrogates.warping import centred, warped

LEVELS = (0.16, 0.5, 0.84)
_FOLDS = 5
_LEAST = 1e-3
"""The smallest standard deviation, of observations whose variance is 1."""


@dataclass(frozen=True)
class Quantiles:
    """Gradient boosting of three quantiles. Needs scikit-learn.

    Args:
        trees: boosting steps of each quantile.
        rate: the learning rate, by which each tree is multiplied.
        warp: as in `GP`.
    """

    trees: int = 30
    rate: float = 0.1
    warp: bool = False

    def fit(self, Z: Array, y: Array, rng: np.random.Generator) -> Boosted:
        """The posterior after observing y (n,) at the rows of Z (n, p); n >= 2. An infinite
        observation is one that failed; it counts as worse than the worst.

        Raises:
            ImportError: scikit-learn is not installed.
        """
        y, offset, scale = (warped(y), 0.0, 1.0) if self.warp else centred(y)
        seed = int(rng.integers(2**31 - 1))
        return Boosted(self, self.models(Z, y, seed), Z, y, offset, scale, seed)

    def models(self, Z: Array, y: Array, seed: int) -> tuple[Any, ...]:
        """The fitted models of the three quantiles."""
        try:
            from sklearn.ensemble import GradientBoostingRegressor
        except ImportError as error:
            raise ImportError(
                "boosting needs scikit-learn; install it with: pip install 'sparktune[sklearn]'"
            ) from error
        return tuple(
            GradientBoostingRegressor(
                loss="quantile", alpha=level, n_estimators=self.trees,
                learning_rate=self.rate, random_state=seed,
            ).fit(Z, y)
            for level in LEVELS
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Boosted:
    """The posterior of three quantiles; `y` are the observations, in units of `scale` from
    `offset`.
    """

    surrogate: Quantiles
    models: tuple[Any, ...]
    Z: Array
    y: Array
    offset: float
    scale: float
    seed: int

    def predict(self, Z: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f, both (m,), at the rows of Z (m, p)."""
        mean, sd = _moments(self.models, Z)
        return self.offset + self.scale * mean, self.scale * sd

    def sample(self, Z: Array, n: int, rng: np.random.Generator) -> Array:
        """n draws of f at the rows of Z (m, p), shape (n, m). A draw is at the same quantile
        everywhere, as the model knows of no other connection.
        """
        mean, sd = self.predict(Z)
        return mean + sd * rng.standard_normal((n, 1))

    def residuals(self) -> Array:
        """Each observation less its prediction from four fifths of the others, in standard
        deviations of that prediction, shape (n,).
        """
        fold = np.random.default_rng(self.seed).permutation(len(self.y)) % _FOLDS
        found = np.empty(len(self.y))
        for k in np.unique(fold):
            out = fold == k
            models = self.surrogate.models(self.Z[~out], self.y[~out], self.seed)
            mean, sd = _moments(models, self.Z[out])
            found[out] = (self.y[out] - mean) / sd
        return found


def _moments(models: tuple[Any, ...], Z: Array) -> tuple[Array, Array]:
    """Mean and standard deviation from the quantiles, which are sorted because they may cross."""
    low, mean, high = np.sort([model.predict(Z) for model in models], axis=0)
    return mean, np.maximum((high - low) / 2, _LEAST)
