"""Which components can handle given data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.sklearn.catalogue.entries import Entry


def suited_to(X: Any, y: Any) -> Callable[[Entry], bool]:
    """Whether a component can be fitted on these data, as far as its entry says.

    Args:
        X: samples: an array or a sparse matrix, (n_samples, n_features); or texts, (n_samples,).
        y: targets, (n_samples, ...).
    """
    sparse = hasattr(X, "tocsr")
    several = getattr(y, "ndim", 1) > 1
    holds = _needs(X, y)

    def suited(entry: Entry) -> bool:
        if (sparse and not entry.sparse) or (entry.targets == "several" and not several):
            return False
        return all(holds[need] for need in entry.needs)

    return suited


def _needs(X: Any, y: Any) -> dict[str, bool]:
    """{what an entry may need: whether it holds}"""
    values = X.data if hasattr(X, "tocsr") else np.asarray(X)
    numbers = values.dtype.kind in "biuf"
    low = values.min(initial=0) if numbers else 0
    targets = np.asarray(y)
    least = targets.min() if targets.dtype.kind in "biuf" and targets.size else -1
    return {
        "nonnegative": numbers and low >= 0,
        "unit interval": numbers and low >= 0 and values.max(initial=0) <= 1,
        "counts": numbers and low >= 0 and bool((values == np.floor(values)).all()),
        "texts": not numbers and values.ndim == 1,
        "categories": values.ndim == 2,
        "nonnegative targets": least >= 0,
        "positive targets": least > 0,
    }
