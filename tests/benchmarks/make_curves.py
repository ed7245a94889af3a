"""Computes the tables `data/curves_*.npz`: losses of real trainings after each of many budgets.

    python -m tests.benchmarks.make_curves [mlp sgd gbm rows folds_svc folds_forest folds_hist]

A table has n random configurations of a model: `points` (n, d) in the unit cube, of which `MAKERS`
make parameters; `budgets` (B,); `loss` (n, B) on held-out samples, the same for all; and
`seconds` (n,) that the full budget took. Each model is trained once with one seed.

    mlp    a neural network on digits, 81 epochs
    sgd    linear models by stochastic gradients on noisy blobs, 81 epochs
    gbm    boosted trees on diabetes, 81 trees: the first trees favour large learning rates, so that
           small budgets lie
    rows   histogram boosting on blobs, 100 to 8,100 samples, see `sparktune.subset`

The budgets of three tables are folds of a cross-validation; a loss is the mean of those done.

    folds_svc     a kernel machine on 500 digits
    folds_forest  a random forest on breast cancer
    folds_hist    histogram boosting on blobs
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune import subset

DATA = Path(__file__).parent / "data"
FULL = 81
FOLDS = 10
SIZES = {"mlp": 120, "sgd": 120, "gbm": 120, "rows": 80}
SIZES |= dict.fromkeys(("folds_svc", "folds_forest", "folds_hist"), 100)
Curve = tuple[list[float], float]


def scaled(u: float, low: float, high: float) -> float:
    """A number from `low` to `high`, on a logarithmic scale."""
    return float(np.exp(np.log(low) + u * (np.log(high) - np.log(low))))


def split(X: Any, y: Any, n: int) -> tuple[Any, Any, Any, Any]:
    """n training samples, and the others."""
    order = np.random.default_rng(0).permutation(len(y))
    return X[order[:n]], y[order[:n]], X[order[n:]], y[order[n:]]


def epochs(model: Any, X: Any, y: Any, X_test: Any, y_test: Any) -> Curve:
    """The error after each epoch of a classifier with `partial_fit`."""
    begun = time.process_time()
    losses = []
    rng = np.random.default_rng(0)
    for _ in range(FULL):
        order = rng.permutation(len(y))
        model.partial_fit(X[order], y[order], classes=np.unique(y))
        losses.append(1 - model.score(X_test, y_test))
    return losses, time.process_time() - begun


def mlp() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    data = split(load_digits().data / 16, load_digits().target, 600)

    def curve(u: NDArray[np.float64]) -> Curve:
        model = MLPClassifier(
            (int(scaled(u[0], 4, 64)),),
            learning_rate_init=scaled(u[1], 1e-4, 0.3),
            alpha=scaled(u[2], 1e-6, 1),
            batch_size=int(scaled(u[3], 8, 256)),
            random_state=0,
        )
        return epochs(model, *data)

    return 4, curve


def sgd() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import make_classification
    from sklearn.linear_model import SGDClassifier

    X, y = make_classification(3000, 60, n_informative=20, n_classes=4, flip_y=0.1, random_state=0)
    data = split(X, y, 1000)

    def curve(u: NDArray[np.float64]) -> Curve:
        model = SGDClassifier(
            loss="log_loss",
            penalty="elasticnet",
            alpha=scaled(u[0], 1e-6, 1),
            l1_ratio=float(u[1]),
            learning_rate="invscaling",
            eta0=scaled(u[2], 1e-4, 1),
            power_t=float(u[3]),
            random_state=0,
        )
        return epochs(model, *data)

    return 4, curve


def gbm() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import GradientBoostingRegressor

    X, y, X_test, y_test = split(load_diabetes().data, load_diabetes().target, 250)

    def curve(u: NDArray[np.float64]) -> Curve:
        model = GradientBoostingRegressor(
            n_estimators=FULL,
            learning_rate=scaled(u[0], 0.01, 1),
            max_depth=1 + int(u[1] * 8),
            subsample=0.3 + 0.7 * float(u[2]),
            min_samples_leaf=int(scaled(u[3], 1, 50)),
            random_state=0,
        )
        begun = time.process_time()
        model.fit(X, y)
        seconds = time.process_time() - begun
        spread = np.mean((y_test - y.mean()) ** 2)
        told = [np.mean((y_test - p) ** 2) / spread for p in model.staged_predict(X_test)]
        return [min(float(each), 2.0) for each in told], seconds

    return 4, curve


def rows() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import make_classification
    from sklearn.ensemble import HistGradientBoostingClassifier

    X, y = make_classification(
        12_000, 20, n_informative=10, n_clusters_per_class=4, flip_y=0.05, random_state=0
    )
    X, y, X_test, y_test = split(X, y, 8100)

    def curve(u: NDArray[np.float64]) -> Curve:
        begun, losses = time.process_time(), []
        for budget in (100, 300, 900, 2700, 8100):
            model = HistGradientBoostingClassifier(
                max_iter=30,
                learning_rate=scaled(u[0], 0.01, 1),
                max_leaf_nodes=int(scaled(u[1], 3, 64)),
                min_samples_leaf=int(scaled(u[2], 2, 200)),
                l2_regularization=scaled(u[3], 1e-6, 100),
                random_state=0,
            )
            chosen = subset(y, budget)
            model.fit(X[chosen], y[chosen])
            losses.append(1 - model.score(X_test, y_test))
        return losses, time.process_time() - begun

    return 4, curve


def fold_by_fold(build: Callable[[NDArray[np.float64]], Any], X: Any, y: Any) -> Any:
    """The curve of a classifier: its mean error after each fold."""
    from sklearn.model_selection import StratifiedKFold

    splits = [*StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y)]

    def curve(u: NDArray[np.float64]) -> Curve:
        begun = time.process_time()
        errors = [
            1 - build(u).fit(X[train], y[train]).score(X[test], y[test]) for train, test in splits
        ]
        means = np.cumsum(errors) / np.arange(1, FOLDS + 1)
        return means.tolist(), time.process_time() - begun

    return curve


def folds_svc() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC

    X, y = load_digits(return_X_y=True)

    def build(u: NDArray[np.float64]) -> Any:
        return SVC(C=scaled(u[0], 1e-2, 1e3), gamma=scaled(u[1], 1e-5, 1e-1))

    return 2, fold_by_fold(build, X[:500], y[:500])


def folds_forest() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    def build(u: NDArray[np.float64]) -> Any:
        return RandomForestClassifier(
            30,
            max_features=0.03 + 0.97 * float(u[0]),
            max_depth=1 + int(u[1] * 12),
            min_samples_leaf=int(scaled(u[2], 1, 60)),
            random_state=0,
        )

    return 3, fold_by_fold(build, *load_breast_cancer(return_X_y=True))


def folds_hist() -> tuple[int, Callable[[NDArray[np.float64]], Curve]]:
    from sklearn.datasets import make_classification
    from sklearn.ensemble import HistGradientBoostingClassifier

    def build(u: NDArray[np.float64]) -> Any:
        return HistGradientBoostingClassifier(
            max_iter=30,
            learning_rate=scaled(u[0], 0.01, 1),
            max_leaf_nodes=int(scaled(u[1], 3, 32)),
            min_samples_leaf=int(scaled(u[2], 2, 100)),
            random_state=0,
        )

    blobs = make_classification(1000, 20, n_informative=8, flip_y=0.1, random_state=0)
    return 3, fold_by_fold(build, *blobs)


MAKERS: dict[str, Callable[[], tuple[int, Callable[[NDArray[np.float64]], Curve]]]] = {
    "mlp": mlp,
    "sgd": sgd,
    "gbm": gbm,
    "rows": rows,
    "folds_svc": folds_svc,
    "folds_forest": folds_forest,
    "folds_hist": folds_hist,
}


def main() -> None:
    """Compute the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*MAKERS])
    warnings.simplefilter("ignore")
    for name in parser.parse_args().names:
        d, curve = MAKERS[name]()
        points = np.random.default_rng(1).random((SIZES[name], d))
        curves = [curve(u) for u in points]
        budgets = (1, 3, 9, 27, FULL) if name == "rows" else range(1, len(curves[0][0]) + 1)
        np.savez_compressed(
            DATA / f"curves_{name}.npz",
            points=points.astype(np.float32),
            budgets=np.array([*budgets], dtype=np.float32),
            loss=np.array([losses for losses, _ in curves], dtype=np.float32),
            seconds=np.array([seconds for _, seconds in curves], dtype=np.float32),
        )
        print(name, sum(seconds for _, seconds in curves), "s", flush=True)


if __name__ == "__main__":
    main()
