"""Checks and conversions of the arguments of `Optimizer.tell`."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument


def check_losses(several: bool, x: Any, y: Any, acq_func: str) -> None:
    """Check that y is a loss, or with `several` that it has a loss for each of the points x.

    Raises:
        ValueError: a loss is not a number, or the number of losses is wrong.
        TypeError: seconds are missing.
    """
    timed = acq_func.endswith("ps")
    if several and np.shape(y)[:1] != (len(x),):
        raise InvalidArgument(
            f"a list of {len(x)} points needs as many losses, got {y!r}; all points must have the "
            "same dimensions as the space"
        )
    for each in y if several else [y]:
        if timed and np.shape(each) != (2,):
            raise TypeError(f"{acq_func} needs (loss, seconds) for each point, got {each!r}")
        for number in each if timed else [each]:
            if not isinstance(number, Number) or isinstance(number, complex):
                raise InvalidArgument(f"`func` should return a scalar, got {each!r}")


def plain(x: Any) -> Any:
    """Convert the numpy arrays and scalars of a point, a loss or a list to Python's types."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x.tolist()
    if not isinstance(x, (list, tuple)):
        return x
    return [each.tolist() if isinstance(each, (np.ndarray, np.generic)) else each for each in x]
