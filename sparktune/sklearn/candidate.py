"""The evaluation of one candidate: a `GridSearchCV` of it alone, as a function that travels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeAlias

from sklearn import config_context, get_config
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV
from sklearn.utils.metadata_routing import process_routing

from sparktune.errors import InvalidArgument

Parameters: TypeAlias = dict[str, Any]
Flatten: TypeAlias = Callable[[Any], Parameters]


def cross_validating(
    estimator: Any,
    settings: Mapping[str, Any],
    refit: Any,
    flatten: Flatten,
    data: tuple[Any, Any, Mapping[str, Any]],
) -> Callable[[Any], dict[str, Any]]:
    """The objective of a search: a point of the space to the result of its cross-validation on
    `data`, the arguments of `fit`.
    """
    X, y, params = data
    config = get_config()
    wanted = refit if isinstance(refit, (str, bool)) else False

    def cross_validation(point: Any) -> dict[str, Any]:
        candidate = flatten(point)
        grid = {name: [value] for name, value in candidate.items()}
        with config_context(**config):
            search = GridSearchCV(estimator, grid, refit=False, **settings)
            table = search.fit(X, y, **params).cv_results_
        row = {key: float(table[key][0]) for key in table if key[:5] not in ("param", "rank_")}
        names = [key[10:] for key in row if key.startswith("mean_test_")]
        metric = wanted if wanted in names else names[0]
        if metric != wanted and wanted is not False and names != ["score"]:
            raise ValueError(f"scoring gives {names}; refit must name one of them, not {wanted!r}")
        return {
            "loss": -row[f"mean_test_{metric}"],
            "status": "ok",
            "params": candidate,
            "cv_results": row,
        }

    return cross_validation


def fold_error_score(error_score: Any, scorer: Any) -> Any:
    """What one candidate's folds get for `error_score`.

    If there is one metric, a NaN in one fold is a NaN in the mean, so the candidate is done for:
    raising says why, on every worker, and saves its other folds.
    """
    one_metric = not isinstance(scorer, dict)
    return "raise" if one_metric and error_score != error_score else error_score


def flattening(estimator: Any) -> Flatten:
    """The function that makes one dict of parameters out of a point of the space."""
    names = frozenset(estimator.get_params())

    def flatten(point: Any) -> Parameters:
        if not isinstance(point, dict):
            raise TypeError(
                f"the space must give dicts of parameters, as {{'C': hp.uniform('C', 0, 1)}} "
                f"does; got {point!r}"
            )
        parameters: Parameters = {}
        for name, value in point.items():
            group = isinstance(value, dict) and name not in names and "__" not in str(name)
            parameters.update(flatten(value) if group else {name: value})
        return parameters

    return flatten


def fixed(cv: Any, splits: Sequence[Any]) -> SimpleNamespace:
    """A splitter that asks for what `cv` asks for, and gives splits that are made already."""
    fixed = SimpleNamespace(
        split=lambda *args, **params: iter(splits), get_n_splits=lambda *args, **params: len(splits)
    )
    if hasattr(cv, "get_metadata_routing"):
        fixed.get_metadata_routing = cv.get_metadata_routing
    return fixed


def scorer_of(estimator: Any, scoring: Any, refit: Any) -> Any:
    """A scorer, or {metric: scorer} for a list or dict of several."""
    if callable(scoring):
        return scoring
    if scoring is None or isinstance(scoring, str):
        return check_scoring(estimator, scoring)
    named = scoring if isinstance(scoring, Mapping) else {name: name for name in scoring}
    if refit is True or (isinstance(refit, str) and refit not in named):
        raise InvalidArgument(
            "with several metrics, refit must be the name of the one to optimise "
            f"({', '.join(map(repr, named))}), a function of cv_results_, or False; got {refit!r}"
        )
    return {name: check_scoring(estimator, each) for name, each in named.items()}


def routed(search: Any, params: Parameters) -> tuple[Parameters, Parameters]:
    """What the estimator's fit and the splitter get of the parameters of fit."""
    if get_config().get("enable_metadata_routing", False):
        routed = process_routing(search, "fit", **params)
        return routed.estimator.fit, routed.splitter.split
    others = {name: value for name, value in params.items() if name != "groups"}
    return others, {"groups": params.get("groups")}
