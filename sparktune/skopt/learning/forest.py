"""Forests that say how sure they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor as PeerExtraTrees
from sklearn.ensemble import RandomForestRegressor as PeerForest

from sparktune.errors import InvalidArgument
from sparktune.surrogates.forest import moments


class _WithStd:
    """A forest whose `predict` gives standard deviations, by the law of total variance
    (`sparktune.surrogates.forest`).
    """

    min_variance: float
    criterion: str

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The mean (m,) at the rows X (m, p), and the standard deviations if they are wanted.

        Raises:
            ValueError: the criterion of the splits is another one than squared errors.
        """
        if not return_std:
            return super().predict(X)  # type: ignore[misc]
        if self.criterion != "squared_error":
            raise InvalidArgument(
                f"standard deviations need criterion='squared_error', got {self.criterion!r}"
            )
        mean, var = moments(self, np.asarray(X, dtype=np.float32), self.min_variance)
        return mean, np.sqrt(var)


class RandomForestRegressor(_WithStd, PeerForest):  # type: ignore[misc]
    """scikit-learn's, with standard deviations.

    Args:
        min_variance: the smallest variance of a leaf; all others as in scikit-learn.
    """

    def __init__(
        self,
        n_estimators: int = 10,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = 1,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        min_variance: float = 0.0,
    ) -> None:
        self.min_variance = min_variance
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
        )


class ExtraTreesRegressor(_WithStd, PeerExtraTrees):  # type: ignore[misc]
    """scikit-learn's, with standard deviations.

    Args:
        min_variance: the smallest variance of a leaf; all others as in scikit-learn.
    """

    def __init__(
        self,
        n_estimators: int = 10,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: Any = 2,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = 1,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        min_variance: float = 0.0,
    ) -> None:
        self.min_variance = min_variance
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
        )
