"""The space and the first points of a search without a space.

A search begins with a portfolio: pipelines that are good on many tables and unlike each other. The
first are the usual models with scikit-learn's defaults, so that in cross-validation no search is
worse than any of them. The others vary the strongest ones: boosting with many small steps on parts
of the samples and features, forests of larger leaves that see more features, a kernel on features
of a normal shape. The table `first` of the catalogue has them. They were chosen on generated tables
that are no benchmark here. Auto-sklearn begins the same way (M. Feurer, K. Eggensperger, S.
Falkner, M. Lindauer, F. Hutter, "Auto-sklearn 2.0", JMLR 23, 2022).

Features are scaled for models that need it and left alone for trees, to which their scale means
nothing. Targets are scaled for regressors whose parameters are in units of the target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparktune.sklearn.catalogue.component import class_of
from sparktune.sklearn.catalogue.defaults import default_point
from sparktune.sklearn.catalogue.entries import Entry
from sparktune.sklearn.catalogue.groups import Group, component, group_of, members
from sparktune.space import hp
from sparktune.space.expression import Apply

Space = dict[str, Any]
Point = dict[str, Any]


def space_and_portfolio(kind: str, probabilities: bool) -> tuple[Space, list[Point]]:
    """The space of models with their preprocessing, and the points of the portfolio.

    Args:
        kind: "classifier" or "regressor".
        probabilities: whether classifiers must have `predict_proba`.
    """
    group = group_of(f"any_{kind}")
    suited = _tells_probabilities if probabilities and kind == "classifier" else _anything
    known = members(group.name, suited)
    scaling = _scaling()
    pipelines = [
        {"model": _model(name, key, group), "steps": scaling if key in group.scaled else ()}
        for key, name in known.items()
    ]
    space = {"pipeline": hp.choice("model", pipelines)}
    return space, [_point(each, known, group) for each in group.first if each["model"] in known]


def _model(name: str, key: str, group: Group) -> Apply:
    model = component(name, f"model.{key}", {})
    if key not in group.unit_targets:
        return model
    scaler = component("standard_scaler", f"model.{key}.targets", _PLAIN)
    parts = {"regressor": model, "transformer": scaler}
    return component("transformed_target_regressor", f"model.{key}.scaled", parts)


def _point(first: dict[str, Any], known: dict[str, str], group: Group) -> Point:
    """The point of an entry of the portfolio."""
    key, steps = first["model"], first.get("steps", "standard")
    given = {name: value for name, value in first.items() if name not in ("model", "steps")}
    point = {"model": [*known].index(key)} | default_point(known[key], f"model.{key}", given)
    if key not in group.scaled:
        return point
    return point | {"steps": [*_SCALINGS].index(steps)} | _STEPS_OF.get(steps, {})


def _scaling() -> Apply:
    return hp.pchoice("steps", [(share, make()) for share, make in _SCALINGS.values()])


def _anything(entry: Entry) -> bool:
    return True


def _tells_probabilities(entry: Entry) -> bool:
    return hasattr(class_of(entry)(), "predict_proba")


_PLAIN = {"with_mean": True, "with_std": True}


def _standard() -> Apply:
    return component("standard_scaler", "steps.standard", _PLAIN)


def _quantile() -> Apply:
    return component("quantile_transformer", "steps.quantile", {"output_distribution": "normal"})


def _range() -> Apply:
    return component("min_max_scaler", "steps.range", {"feature_range": (0, 1)})


def _pca() -> Apply:
    share = hp.uniform("steps.pca.share", 0.5, 0.999)
    return component("pca", "steps.pca", {"n_components": share})


_SCALINGS: dict[str, tuple[float, Callable[[], list[Apply]]]] = {
    "standard": (0.5, lambda: [_standard()]),
    "quantile": (0.2, lambda: [_quantile()]),
    "range": (0.15, lambda: [_range()]),
    "components": (0.15, lambda: [_standard(), _pca()]),
}
"""{what goes before models that need one scale: its share, its transformers}"""

_STEPS_OF = {"quantile": {"steps.quantile.n_quantiles": 100}}
"""The parameters of transformers in the portfolio."""
