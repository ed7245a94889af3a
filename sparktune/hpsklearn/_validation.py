"""The objective of a `HyperoptEstimator`: fit a model on some rows, and score it on the others.

What travels to the workers are nested functions that refer to nothing of this package: they travel
by value, and workers need scikit-learn only.
"""

from __future__ import annotations

import copy
import inspect
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sparktune.hpsklearn._splits import Split

Objective = Callable[[Any], dict[str, Any]]
MOST_EPOCHS = 1000
RETRAIN = 1.2  # epochs on all data for one epoch on some of it


@dataclass(frozen=True)
class Data:
    """Samples X, targets y, exogenous data sets, and weights of the samples or None."""

    X: Any
    y: Any
    others: Sequence[Any] = ()
    weights: Any = None


@dataclass(frozen=True)
class Rules:
    """How a model is fitted and scored.

    Attributes:
        loss: `(y_true, y_pred) -> loss`, or None: 1 - accuracy or 1 - R2.
        probabilities: whether the loss is given probabilities.
        scorer: `(estimator, X, y) -> score` in place of a loss, or None.
        by_epochs: whether to fit by epochs of `partial_fit`, where the model can.
        seconds: that the epochs may take, or None.
        n_jobs: of models that have it.
        preparation: a transformer that goes before all others, or None.
    """

    loss: Callable[[Any, Any], float] | None = None
    probabilities: bool = False
    scorer: Any = None
    by_epochs: bool = False
    seconds: float | None = None
    n_jobs: int | None = 1
    preparation: Any = None


def joining() -> Callable[[Sequence[Any]], Any]:
    """The function that puts the columns of data sets side by side."""

    def joined(sets: Sequence[Any]) -> Any:
        import numpy
        from scipy import sparse

        if len(sets) == 1:
            return sets[0]
        if any(map(sparse.issparse, sets)):
            return sparse.hstack(sets).tocsr()
        return numpy.concatenate([numpy.asarray(each) for each in sets], axis=1)

    return joined


def combining() -> Callable[..., Any]:
    """The function that runs preprocessing steps and joins what comes out."""
    joined = joining()

    def fitted(step: Any, X: Any, y: Any) -> None:
        if type(step).__name__ == "PCA" and isinstance(step.n_components, int):
            step.set_params(n_components=min(step.n_components, *X.shape))
        step.fit(X, y) if "y" in inspect.signature(step.fit).parameters else step.fit(X)

    def combine(chains: Sequence[Any], sets: Sequence[Any], y: Any = None, fit: bool = True) -> Any:
        done = []
        for steps, X in zip(chains, sets, strict=True):
            for step in steps:
                if fit:
                    fitted(step, X, y)
                X = step.transform(X)
            done.append(X)
        return joined(done)

    return combine


def stepping() -> Callable[..., int]:
    """The function that fits a model by epochs until it gets no better, and counts them."""
    most = MOST_EPOCHS

    def has_converged(scores: list[float]) -> bool:
        early = round(0.6 * len(scores))
        return len(scores) >= 7 and max(scores[:early]) >= max(scores[early:])

    def step(model: Any, X: Any, y: Any, given: Any, valid: Any, seconds: Any) -> int:
        began, scores = time.monotonic(), list[float]()
        limit = 0.95 * (seconds or float("inf"))
        while len(scores) < most and time.monotonic() - began < limit:
            model.partial_fit(X, y, **given)
            scores.append(model.score(*valid))
            if has_converged(scores):
                break
        return len(scores)

    return step


def fitting() -> Callable[..., int | None]:
    """The function that fits a model: at once, which returns None; by a number of epochs; or, with
    `epochs=True`, by as many epochs as help, which returns their number.
    """
    step = stepping()

    def fit(
        model: Any, X: Any, y: Any, weights: Any, valid: Any, epochs: Any, seconds: Any
    ) -> int | None:
        takes = inspect.signature(model.partial_fit if epochs else model.fit).parameters
        given = {"sample_weight": weights} if "sample_weight" in takes else {}
        if not epochs:
            model.fit(X, y, **given)
            return None
        if "classes" in takes:
            given["classes"] = sorted(set(y.tolist()))
        if epochs is True:
            return step(model, X, y, given, valid, seconds)
        for _ in range(epochs):
            model.partial_fit(X, y, **given)
        return int(epochs)

    return fit


def scoring(rules: Rules) -> Callable[..., tuple[float, Any]]:
    """The function that makes a loss, and its variance or None, of the predictions of all folds."""
    loss = rules.loss

    def usual(classes: bool, truth: Any, guess: Any, weights: Any) -> tuple[float, Any]:
        from sklearn.metrics import accuracy_score, r2_score

        if not classes:
            return 1 - r2_score(truth, guess, sample_weight=weights), None
        wrong = 1 - accuracy_score(truth, guess, sample_weight=weights)
        return wrong, wrong * (1 - wrong) / max(1, len(truth) - 1)

    def score(classes: bool, folds: Sequence[dict[str, Any]]) -> tuple[float, Any]:
        import numpy

        if "score" in folds[0]:
            return -float(numpy.mean([fold["score"] for fold in folds])), None
        truth, guess, weights = (
            None if folds[0][name] is None else numpy.concatenate([fold[name] for fold in folds])
            for name in ("truth", "guess", "weights")
        )
        return usual(classes, truth, guess, weights) if loss is None else (loss(truth, guess), None)

    return score


def folding(data: Data, rules: Rules) -> Callable[..., dict[str, Any]]:
    """The function that fits on some rows and predicts, or scores, the others."""
    combine, fit = combining(), fitting()
    sets, y, weights = [data.X, *data.others], data.y, data.weights
    scorer, seconds = rules.scorer, rules.seconds
    by_epochs, method = rules.by_epochs, "predict_proba" if rules.probabilities else "predict"

    def chosen(rows: Any, values: Any) -> Any:
        from sklearn.utils import _safe_indexing

        return None if values is None else _safe_indexing(values, rows)

    def fold(model: Any, chains: Any, train: Any, valid: Any) -> dict[str, Any]:
        model, chains = copy.deepcopy(model), copy.deepcopy(chains)
        Z = combine(chains, [chosen(train, each) for each in sets], chosen(train, y))
        V = combine(chains, [chosen(valid, each) for each in sets], fit=False)
        truth = chosen(valid, y)
        epochs = by_epochs and hasattr(model, "partial_fit")
        done = fit(model, Z, chosen(train, y), chosen(train, weights), (V, truth), epochs, seconds)
        if scorer is not None:
            return {"score": scorer(model, V, truth), "epochs": done}
        guess = getattr(model, method)(V)
        return {"truth": truth, "guess": guess, "weights": chosen(valid, weights), "epochs": done}

    return fold


def validating(data: Data, splits: Sequence[Split], rules: Rules) -> Objective:
    """The objective: a point of the space, {classifier, regressor, preprocessing, ex_preprocs}, to
    a result with a loss, or with status "fail" and a `failure` where the model cannot be fitted.
    """
    fold, score = folding(data, rules), scoring(rules)
    others, n_jobs, preparation = len(data.others), rules.n_jobs, rules.preparation

    def validated(config: Any) -> dict[str, Any]:
        classes = config["classifier"] is not None
        model = config["classifier"] if classes else config["regressor"]
        if n_jobs not in (None, 1) and hasattr(model, "n_jobs"):
            model.n_jobs = n_jobs
        steps = [*([] if preparation is None else [preparation]), *(config["preprocessing"] or ())]
        chains = [steps, *(config["ex_preprocs"] or [()] * others)]
        folds = [fold(model, chains, *split) for split in splits]
        loss, variance = score(classes, folds)
        epochs = [each["epochs"] for each in folds if each["epochs"] is not None]
        return {
            "loss": loss,
            "loss_variance": variance,
            "status": "ok",
            "iterations": max(epochs, default=None),
        }

    def validate(config: Any) -> dict[str, Any]:
        started = time.time()
        try:
            result = validated(config)
        except Exception as error:
            result = {
                "status": "fail",
                "failure": f"{type(error).__name__}: {error}",
                "traceback": traceback.format_exc()[-10_000:],
            }
        return result | {"duration": time.time() - started}

    return validate
