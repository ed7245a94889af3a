"""Quantile regression by gradient boosting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import GradientBoostingRegressor

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.dimension import generator
from sparktune.surrogates.quantile import LEVELS


class GradientBoostingQuantileRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Quantile regression with one `GradientBoostingRegressor` for each quantile.

    Args:
        quantiles: the quantiles to predict. Standard deviations need 0.16, 0.5 and 0.84.
        base_estimator: a `GradientBoostingRegressor(loss="quantile")`; None: its default.
        n_jobs: ignored, because the models are small.
        random_state: None, a seed or a generator.
    """

    def __init__(
        self,
        quantiles: Sequence[float] = LEVELS,
        base_estimator: Any = None,
        n_jobs: int = 1,
        random_state: Any = None,
    ) -> None:
        self.quantiles = quantiles
        self.base_estimator = base_estimator
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> GradientBoostingQuantileRegressor:
        """Fit a model for each quantile to targets y (n,) at the rows X (n, p).

        Raises:
            ValueError: base_estimator is not a `GradientBoostingRegressor(loss="quantile")`.
        """
        base = self.base_estimator
        base = GradientBoostingRegressor(loss="quantile") if base is None else base
        if not isinstance(base, GradientBoostingRegressor) or base.loss != "quantile":
            raise InvalidArgument(
                "base_estimator has to be a GradientBoostingRegressor with loss='quantile', "
                f"got {base!r}"
            )
        seed = _seed(self.random_state)
        self.regressors_ = [
            clone(base).set_params(alpha=level, random_state=seed).fit(X, np.ravel(y))
            for level in self.quantiles
        ]
        return self

    def predict(self, X: Any, return_std: bool = False, return_quantiles: bool = False) -> Any:
        """Predict the median (m,) at the rows X (m, p).

        With `return_std`, standard deviations are returned, too: half the difference between the
        quantiles 0.84 and 0.16. With `return_quantiles`, only all quantiles (m, q) are returned.

        Raises:
            ValueError: a quantile that this needs was not fitted.
        """
        quantiles = np.array([each.predict(X) for each in self.regressors_])
        if return_quantiles:
            return quantiles.T
        places = [self._place(level) for level in (LEVELS if return_std else (0.5,))]
        if not return_std:
            return quantiles[places[0]]
        low, _, high = np.sort(quantiles[places], axis=0)
        return quantiles[places[1]], (high - low) / 2

    def _place(self, level: float) -> int:
        near = np.flatnonzero(np.isclose(self.quantiles, level))
        if not len(near):
            raise InvalidArgument(
                f"this prediction needs the quantile {level}; add it to quantiles, which are "
                f"{list(self.quantiles)}"
            )
        return int(near[0])


def quantile_boosting(trees: int) -> GradientBoostingRegressor:
    """Return the base estimator of "GBRT", with this number of trees."""
    return GradientBoostingRegressor(n_estimators=trees, loss="quantile")


def _seed(given: Any) -> int | None:
    """Return a seed for all models, given None, a seed or a generator; None: random."""
    return None if given is None else int(generator(given).randint(2**31 - 1))
