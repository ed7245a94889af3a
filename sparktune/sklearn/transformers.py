"""Transformers that hyperopt-sklearn brings along."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans


class LagSelector(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The most recent lags of a series whose lags are the columns.

    Args:
        lag_size: k > 0: the first k columns; k < 0: the last; 0: none; None: all.

    Attributes:
        max_lag_size_: the number of columns.
    """

    def __init__(self, lag_size: int | None = None) -> None:
        self.lag_size = lag_size

    def fit(self, X: Any, y: Any = None) -> LagSelector:
        """Note the number of columns of X, (n_samples, n_lags)."""
        self.max_lag_size_ = X.shape[1]
        return self

    def transform(self, X: Any, y: Any = None) -> Any:
        """The columns that are selected, (n_samples, lags)."""
        size = self.max_lag_size_ if self.lag_size is None else self.lag_size
        kept = slice(None, size) if size >= 0 else slice(size, None)
        return X.iloc[:, kept] if hasattr(X, "iloc") else X[:, kept]


class ColumnKMeans(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Each column as its distances to the centers of its own k-means clusters.

    Args:
        n_clusters, init, n_init, max_iter, tol, verbose, random_state, copy_x: of
            `sklearn.cluster.KMeans`. Where a column has fewer samples than clusters, it gets as
            many clusters as samples, and the missing distances are 0.

    Attributes:
        col_models: the fitted KMeans of each column.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        init: Any = "k-means++",
        n_init: int = 10,
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x

    def fit(self, X: Any, y: Any = None) -> ColumnKMeans:
        """Cluster each column of X, (n_samples, n_features)."""
        X = _array(X)
        parameters = self.get_params() | {"n_clusters": min(self.n_clusters, len(X))}
        self.col_models = [KMeans(**parameters).fit(column[:, None]) for column in X.T]
        return self

    def transform(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Distances, (n_samples, n_features * n_clusters), column by column."""
        X = _array(X)
        distances = np.zeros((len(X), len(self.col_models), self.n_clusters), dtype=X.dtype)
        for j, model in enumerate(self.col_models):
            distances[:, j, : model.n_clusters] = model.transform(X[:, j : j + 1])
        return distances.reshape(len(X), -1)


def _array(X: Any) -> NDArray[Any]:
    array = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
    return array if array.dtype.kind == "f" else array.astype(float)
