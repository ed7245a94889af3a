"""The grids of the tables in `data/`: which models on which data set, at which parameter values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np


@dataclass(frozen=True)
class Axis:
    """One parameter of a grid.

    `kind` says how it is searched: "real" (between the values, which are interpolated), "log" (the
    same on a logarithmic scale), "ordered" (the index of a value) or "choice" (the same, without an
    order).
    """

    name: str
    kind: str
    values: tuple[Any, ...]


def _log(name: str, low: float, high: float, n: int) -> Axis:
    return Axis(name, "log", tuple(np.geomspace(low, high, n).tolist()))


def _real(name: str, low: float, high: float, n: int) -> Axis:
    return Axis(name, "real", tuple(np.linspace(low, high, n).tolist()))


def _ordered(name: str, *values: Any) -> Axis:
    return Axis(name, "ordered", values)


def _choice(name: str, *values: Any) -> Axis:
    return Axis(name, "choice", values)


Models: TypeAlias = "dict[str, tuple[Axis, ...]]"
_C, _GAMMA = _log("C", 1e-3, 1e3, 13), _log("gamma", 1e-5, 1e1, 13)
_SVM: Models = {
    "rbf": (_C, _GAMMA),
    "linear": (_C,),
    "poly": (_log("C", 1e-3, 1e3, 7), _log("gamma", 1e-4, 1e1, 6), _ordered("degree", 2, 3, 4, 5)),
    "sigmoid": (_C, _GAMMA),
}
_CASH: Models = {
    "rbf": (_C, _GAMMA),
    "linear": (_C,),
    "knn": (
        _ordered("k", *range(1, 31, 2)),
        _choice("weights", "uniform", "distance"),
        _choice("p", 1, 2),
    ),
    "tree": (
        _ordered("depth", *range(1, 13)),
        _ordered("leaf", 1, 2, 3, 4, 6, 8, 12, 16, 24, 32),
        _choice("criterion", "gini", "entropy", "log_loss"),
    ),
    "extra": (
        _real("features", 0.05, 1.0, 6),
        _ordered("leaf", 1, 2, 4, 8, 16),
        _choice("bootstrap", False, True),
    ),
}
_EXTRA: Models = {
    "extra_regressor": (
        _real("features", 0.05, 1.0, 6),
        _ordered("leaf", 1, 2, 3, 5, 8, 12, 18),
        _ordered("depth", 1, 2, 3, 4, 6, 9, 14),
        _choice("bootstrap", False, True),
    )
}
_BOOSTING: Models = {
    "boosting": (
        _log("rate", 0.005, 1.0, 7),
        _ordered("trees", 5, 10, 20, 40, 80),
        _ordered("depth", 1, 2, 3, 4, 6),
        _real("subsample", 0.3, 1.0, 4),
    )
}
_KERNEL: Models = {
    "svr": (_log("C", 1e-2, 1e4, 13), _log("gamma", 1e-5, 1e1, 13), _log("epsilon", 0.01, 10, 5))
}
_ELASTIC: Models = {
    "elastic": (
        _log("alpha", 1e-4, 1e2, 19),
        _real("l1_ratio", 0.0, 1.0, 6),
        _ordered("degree", 1, 2),
    )
}

GRIDS: dict[str, tuple[str, Models]] = {
    "svm_digits": ("digits", _SVM),
    "cash_wine": ("wine", _CASH),
    "extra_friedman": ("friedman", _EXTRA),
    "svr_diabetes": ("diabetes", _KERNEL),
    "svm_breast": ("breast", _SVM),
    "cash_blobs": ("blobs", _CASH),
    "boosting_friedman": ("friedman", _BOOSTING),
    "extra_diabetes": ("diabetes", _EXTRA),
    "elastic_diabetes": ("diabetes", _ELASTIC),
}
"""{table: (data set, {model: axes})}. The first four are for development, the rest to validate."""
