"""Every plot of two real studies, to be looked at.

    python -m tests.benchmarks.pictures OUT

Tunes a regression model on scikit-learn's diabetes data: which model, and the parameters of the
model chosen. The objective is the mean absolute error of threefold cross-validation. Support vector
machines that do not converge raise; models worse than a constant say that they failed. A study of
150 and one of 1,000 trials run on four threads, and three short runs each of TPE and of random
search for the comparison. Takes a few minutes.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sparktune import STATUS_FAIL, STATUS_OK, ThreadTrials, fmin, hp, plots
from sparktune.plots import hyperopt_style
from sparktune.results.finished import Finished

SPACE = {
    "scaled": hp.choice("scaled", [True, False]),
    "model": hp.choice(
        "model",
        [
            {
                "kind": "svm",
                "C": hp.loguniform("C", np.log(1e-2), np.log(1e5)),
                "gamma": hp.loguniform("gamma", np.log(1e-5), np.log(1e1)),
                "epsilon": hp.uniform("epsilon", 0, 20),
            },
            {
                "kind": "forest",
                "depth": hp.uniformint("depth", 1, 12),
                "leaf": hp.qloguniform("leaf", 0, np.log(64), 1),
                "features": hp.uniform("features", 0.1, 1),
            },
            {"kind": "neighbours", "k": hp.randint("k", 1, 200)},
            {
                "kind": "elastic net",
                "alpha": hp.loguniform("alpha", np.log(1e-4), np.log(1e2)),
                "l1_ratio": hp.uniform("l1_ratio", 0, 1),
            },
        ],
    ),
}
X, Y = load_diabetes(return_X_y=True)
FOLDS = list(KFold(3, shuffle=True, random_state=0).split(X))
CONSTANT = float(np.mean(np.abs(Y - np.median(Y))))


def model_of(kind: str, given: dict[str, Any]) -> Any:
    """The unfitted model of a configuration."""
    if kind == "svm":
        return SVR(C=given["C"], gamma=given["gamma"], epsilon=given["epsilon"], max_iter=20_000)
    if kind == "forest":
        return RandomForestRegressor(
            10,
            max_depth=given["depth"],
            min_samples_leaf=int(given["leaf"]),
            max_features=given["features"],
            random_state=0,
        )
    if kind == "neighbours":
        return KNeighborsRegressor(int(given["k"]))
    return ElasticNet(alpha=given["alpha"], l1_ratio=given["l1_ratio"], max_iter=5000)


def objective(config: dict[str, Any]) -> dict[str, Any]:
    """Mean absolute error over three folds, with the errors of all samples attached."""
    given = dict(config["model"])
    kind = given.pop("kind")
    errors = np.empty(len(Y))
    for train, test in FOLDS:
        model = model_of(kind, given)
        steps = [StandardScaler(), model] if config["scaled"] else [model]
        errors[test] = np.abs(
            make_pipeline(*steps).fit(X[train], Y[train]).predict(X[test]) - Y[test]
        )
        if kind == "svm" and model.n_iter_ >= 20_000:
            raise ArithmeticError(f"no convergence in {model.n_iter_} iterations")
    loss = float(errors.mean())
    if loss > 1.02 * CONSTANT:
        return {"status": STATUS_FAIL, "worse": loss}
    curve = np.sort(errors)[::10]
    return {"status": STATUS_OK, "loss": loss, "attachments": {"sorted errors": curve}}


def study(algo: str, trials: int, seed: int) -> ThreadTrials:
    """The trials of one run."""
    found = ThreadTrials(parallelism=4)
    fmin(objective, SPACE, algo, trials, trials=found, seed=seed, show_progressbar=False)
    return found


def draw(out: Path, name: str, trials: ThreadTrials, other: ThreadTrials) -> None:
    """Every plot of one study."""
    space: dict[str, Any] = {"space": SPACE}
    figures = {
        "history": plots.history(trials),
        "values": plots.values(trials, **space),
        "values-no-space": plots.values(trials),
        "histograms": plots.histograms({"TPE": trials, "random": other}, **space),
        "histograms-one": plots.histograms(trials, **space),
        "scatter": plots.scatter(trials, **space),
        "parallel": plots.parallel_coordinates(trials, **space),
        "parallel-some": plots.parallel_coordinates(
            trials, **space, labels=["model", "C", "gamma", "epsilon"]
        ),
        "importance": plots.importance(trials, **space),
        "timeline": plots.timeline(trials),
    }
    for plot, figure in figures.items():
        figure.savefig(out / f"{name}-{plot}.png", dpi=100)
    draw_hyperopts(out, name, trials)


def draw_hyperopts(out: Path, name: str, trials: ThreadTrials) -> None:
    """The plots under Hyperopt's names."""
    import matplotlib.pyplot as plt

    drawn: Sequence[tuple[Callable[..., None], Sequence[Any], dict[str, Any]]] = (
        (hyperopt_style.main_plot_history, (), {}),
        (hyperopt_style.main_plot_histogram, (), {}),
        (hyperopt_style.main_plot_vars, (), {"colorize_best": 10, "columns": 4}),
        (hyperopt_style.main_plot_1D_attachment, ("sorted errors",), {"line_width": 0.6}),
    )
    for function, arguments, options in drawn:
        figure = plt.figure(figsize=(10, 6))
        function(trials, *arguments, do_show=False, **options)
        figure.savefig(out / f"{name}-{function.__name__}.png", dpi=100)
        plt.close(figure)


def main() -> None:
    """Run the studies and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    mpl.use("agg")
    warnings.simplefilter("ignore", ConvergenceWarning)  # the objective looks itself
    tpe = [study("tpe", 150, seed) for seed in range(3)]
    random = [study("random", 150, seed) for seed in range(3)]
    draw(out, "150", tpe[0], random[0])
    draw(out, "1000", study("tpe", 1000, 0), study("random", 1000, 0))
    methods: dict[str, Finished | Sequence[Finished]] = {
        "TPE": tpe,
        "random": random,
        "one run": tpe[1],
    }
    plots.convergence(methods).savefig(out / "convergence.png", dpi=100)


if __name__ == "__main__":
    main()
