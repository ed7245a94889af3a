"""Computes the tables in `data/`: cross-validated losses of scikit-learn models on its data sets.

    python -m tests.benchmarks.make_tables

A table is one array for each model of a problem: the mean loss of a 3-fold cross-validation at
every point of a grid over the model's parameters, for `REPEATS` different shufflings (last axis).
Losses are error rates for classifiers and 1 - R^2 (at most 2) for regressors.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.grids import GRIDS, Axis

DATA = Path(__file__).parent / "data"
REPEATS = 4


def data_sets() -> dict[str, Callable[[], tuple[Any, Any]]]:
    """The data sets by name; large ones are thinned so that a table takes a minute."""
    from sklearn import datasets

    def thinned(data: Any, n: int) -> tuple[Any, Any]:
        X, y = data
        kept = np.random.default_rng(0).permutation(len(y))[:n]
        return X[kept], y[kept]

    return {
        "digits": lambda: thinned(datasets.load_digits(return_X_y=True), 360),
        "wine": lambda: datasets.load_wine(return_X_y=True),
        "breast": lambda: thinned(datasets.load_breast_cancer(return_X_y=True), 240),
        "diabetes": lambda: thinned(datasets.load_diabetes(return_X_y=True), 240),
        "friedman": lambda: datasets.make_friedman1(240, noise=2.0, random_state=0),
        "blobs": lambda: datasets.make_classification(
            240, 20, n_informative=6, n_classes=3, flip_y=0.1, random_state=0
        ),
    }


def estimators() -> dict[str, Callable[..., Any]]:
    """How to make each model from the values of its grid."""
    from sklearn import ensemble, linear_model, neighbors, svm, tree
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    def scaled(model: Any) -> Any:
        return make_pipeline(StandardScaler(), model)

    def elastic(alpha: float, l1_ratio: float, degree: int) -> Any:
        model = linear_model.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, max_iter=300)
        return make_pipeline(PolynomialFeatures(int(degree)), StandardScaler(), model)

    return {
        "rbf": lambda C, gamma: scaled(svm.SVC(C=C, gamma=gamma)),
        "linear": lambda C: scaled(svm.SVC(C=C, kernel="linear")),
        "poly": lambda C, gamma, degree: scaled(
            svm.SVC(C=C, gamma=gamma, degree=int(degree), kernel="poly", max_iter=3000)
        ),
        "sigmoid": lambda C, gamma: scaled(svm.SVC(C=C, gamma=gamma, kernel="sigmoid")),
        "knn": lambda k, weights, p: scaled(
            neighbors.KNeighborsClassifier(int(k), weights=weights, p=p)
        ),
        "tree": lambda depth, leaf, criterion: tree.DecisionTreeClassifier(
            max_depth=int(depth), min_samples_leaf=int(leaf), criterion=criterion, random_state=0
        ),
        "extra": lambda features, leaf, bootstrap: ensemble.ExtraTreesClassifier(
            20, max_features=features, min_samples_leaf=int(leaf), bootstrap=bootstrap,
            random_state=0,
        ),
        "extra_regressor": lambda features, leaf, depth, bootstrap: ensemble.ExtraTreesRegressor(
            20, max_features=features, min_samples_leaf=int(leaf), max_depth=int(depth),
            bootstrap=bootstrap, random_state=0,
        ),
        "boosting": lambda rate, trees, depth, subsample: ensemble.GradientBoostingRegressor(
            learning_rate=rate, n_estimators=int(trees), max_depth=int(depth), subsample=subsample,
            random_state=0,
        ),
        "svr": lambda C, gamma, epsilon: scaled(svm.SVR(C=C, gamma=gamma, epsilon=epsilon)),
        "elastic": elastic,
    }  # fmt: skip


def grid_points(axes: tuple[Axis, ...]) -> Iterator[tuple[Any, ...]]:
    """The values at every point of a grid, the last axis running fastest."""
    return itertools.product(*(axis.values for axis in axes))


def table(make: Callable[..., Any], axes: tuple[Axis, ...], X: Any, y: Any) -> Any:
    """Losses over a grid, shape (*lengths of the axes, REPEATS)."""
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

    kind = KFold if y.dtype.kind == "f" and len(np.unique(y)) > 20 else StratifiedKFold
    splits = [kind(3, shuffle=True, random_state=i) for i in range(REPEATS)]
    names = [axis.name for axis in axes]
    losses = [
        [1 - cross_val_score(make(**dict(zip(names, point, strict=True))), X, y, cv=split).mean()
         for split in splits]
        for point in grid_points(axes)
    ]  # fmt: skip
    shape = (*(len(axis.values) for axis in axes), REPEATS)
    return np.minimum(np.array(losses), 2.0).reshape(shape).astype(np.float32)


def main() -> None:
    """Compute every table that is missing."""
    warnings.simplefilter("ignore")
    DATA.mkdir(exist_ok=True)
    makers, sets = estimators(), data_sets()
    for name, (data_set, models) in GRIDS.items():
        path = DATA / f"{name}.npz"
        if not path.exists():
            X, y = sets[data_set]()
            arrays = {model: table(makers[model], axes, X, y) for model, axes in models.items()}
            np.savez_compressed(path, **arrays)
            print(name, {model: array.shape for model, array in arrays.items()}, flush=True)


if __name__ == "__main__":
    main()
