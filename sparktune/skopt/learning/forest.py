"""Forests that predict standard deviations."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor as PeerExtraTrees
from sklearn.ensemble import RandomForestRegressor as PeerForest

from sparktune.errors import InvalidArgument
from sparktune.surrogates.forest import moments

_CHANGED = {"n_estimators": 10, "n_jobs": 1}


def _options(peer: type) -> Callable[..., None]:
    """Return an `__init__` with the options of scikit-learn's forest and `min_variance`."""
    given = inspect.signature(peer.__init__).parameters.values()  # type: ignore[misc]
    listed = [
        each.replace(kind=each.POSITIONAL_OR_KEYWORD, default=_CHANGED.get(each.name, each.default))
        for each in given
    ]
    own = inspect.Parameter("min_variance", inspect.Parameter.KEYWORD_ONLY, default=0.0)
    signature = inspect.Signature([*listed, own])

    def __init__(*args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        options = bound.arguments
        self = options.pop("self")
        self.min_variance = options.pop("min_variance")
        peer.__init__(self, **options)  # type: ignore[misc]

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


class _WithStd:
    """A mixin for forests whose `predict` can return standard deviations. They are computed by the
    law of total variance (`sparktune.surrogates.forest`).
    """

    min_variance: float
    criterion: str

    def _make_estimator(self, append: bool = True, random_state: Any = None) -> Any:
        """Return a tree with the forest's options. scikit-learn clones a tree instead, which takes
        longer than fitting it.
        """
        forest: Any = self
        tree = type(forest.estimator_)(
            **{name: getattr(self, name) for name in forest.estimator_params}
        )
        if random_state is not None:
            tree.random_state = random_state.randint(np.iinfo(np.int32).max)
        if append:
            forest.estimators_.append(tree)
        return tree

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the mean (m,) at the rows X (m, p), with `return_std` the standard deviations
        (m,), too.

        Raises:
            ValueError: return_std is True and the criterion is not "squared_error".
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
    """scikit-learn's `RandomForestRegressor` with standard deviations, and 10 trees by default.

    Args:
        min_variance: the smallest variance of a leaf (0). All other arguments are scikit-learn's.
    """

    __init__ = _options(PeerForest)


class ExtraTreesRegressor(_WithStd, PeerExtraTrees):  # type: ignore[misc]
    """scikit-learn's `ExtraTreesRegressor` with standard deviations, and 10 trees by default.

    Args:
        min_variance: the smallest variance of a leaf (0). All other arguments are scikit-learn's.
    """

    __init__ = _options(PeerExtraTrees)
