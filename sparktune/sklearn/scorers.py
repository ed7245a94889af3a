"""What scores candidates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.metrics import check_scoring

from sparktune.errors import InvalidArgument


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
