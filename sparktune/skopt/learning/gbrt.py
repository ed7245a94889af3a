"""Quantiles by gradient boosting."""

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
    """Quantiles, each by a `GradientBoostingRegressor`.

    Args:
        quantiles: of the targets; the standard deviation needs 0.16, 0.5 and 0.84.
        base_estimator: None, or a `GradientBoostingRegressor(loss="quantile")`.
        n_jobs: not needed, as the models are small.
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
        """Fit a model of each quantile to targets y (n,) at the rows X (n, p).

        Raises:
            ValueError: the base estimator is another one.
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
        """The median (m,) at the rows X (m, p); with half the distance of the quantiles 0.16 and
        0.84 as standard deviation; or all quantiles, (m, q).

        Raises:
            ValueError: a quantile that is needed is not among the fitted ones.
        """
        found = np.array([each.predict(X) for each in self.regressors_])
        if return_quantiles:
            return found.T
        places = [self._place(level) for level in (LEVELS if return_std else (0.5,))]
        if not return_std:
            return found[places[0]]
        low, _, high = np.sort(found[places], axis=0)
        return found[places[1]], (high - low) / 2

    def _place(self, level: float) -> int:
        near = np.flatnonzero(np.isclose(self.quantiles, level))
        if not len(near):
            raise InvalidArgument(f"this needs the quantile {level} among {list(self.quantiles)}")
        return int(near[0])


def quantile_boosting(trees: int) -> GradientBoostingRegressor:
    """The boosting of quantiles that "GBRT" means."""
    return GradientBoostingRegressor(n_estimators=trees, loss="quantile")


def _seed(given: Any) -> int | None:
    """A seed for all models, of None, a seed or a generator."""
    return None if given is None else int(generator(given).randint(2**31 - 1))
