"""Models as results show them, fitted when somebody looks at one.

A model is a pure function of the evaluations that it is fitted to. So none has to be kept, however
many a search makes: the last ones that were used are at hand, the others are fitted again.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.samplers._threads import single_threaded
from sparktune.skopt._bridge import Bridge
from sparktune.space.distributions import Array

_KEPT = 4
_fits: OrderedDict[bytes, Any] = OrderedDict()


def fitted(estimator: Any, Z: Array, y: Array) -> Any:
    """A copy of the estimator, fitted to targets y (n,) or (n, 2) at the rows Z (n, p). Infinite
    ones failed, and count as worse than the worst.
    """
    from sklearn.base import clone

    y = _finite(y)
    digest = hashlib.sha1(f"{type(estimator).__module__} {estimator.get_params()!r}".encode())
    for array in (Z, y):
        digest.update(np.ascontiguousarray(array).tobytes())
    key = digest.digest()
    found = _fits.pop(key, None)
    if found is None:
        with single_threaded():
            found = clone(estimator).fit(Z, y)
    _fits[key] = found
    while len(_fits) > _KEPT:
        _fits.popitem(last=False)
    return found


def _finite(y: Array) -> Array:
    loss = y if y.ndim == 1 else y[:, 0]
    bad = ~np.isfinite(loss)
    if not bad.any():
        return y
    good = loss[~bad]
    worst = good.max() + 0.5 * (np.ptp(good) or 1.0) if len(good) else 0.0
    y = y.copy()
    (y if y.ndim == 1 else y[:, 0])[bad] = worst
    return y


def single(estimator: Any) -> Any:
    """The model of one target: the estimator itself, or that of which there is one for losses and
    one for seconds.
    """
    from sklearn.multioutput import MultiOutputRegressor

    return estimator.estimator if isinstance(estimator, MultiOutputRegressor) else estimator


@dataclass(eq=False)
class Models(Sequence[Any]):
    """The models of an optimizer: for each of `sizes` one that is fitted to so many of the points
    and losses, or (loss, seconds).
    """

    estimator: Any
    bridge: Bridge
    points: list[Any]
    losses: list[Any]
    sizes: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._fit(size) for size in self.sizes[index]]
        return self._fit(self.sizes[index])

    def __iter__(self) -> Iterator[Any]:
        return (self._fit(size) for size in self.sizes)

    def __eq__(self, other: object) -> bool:
        return list(self) == other if isinstance(other, list) else self is other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} models {self.estimator!r}>"

    def _fit(self, size: int) -> Any:
        y = np.asarray(self.losses[:size], dtype=float)
        if y.ndim == 2:
            y = np.column_stack([y[:, 0], np.log(y[:, 1])])
        X = np.array([self.bridge.row(point) for point in self.points[:size]])
        return fitted(self.estimator, self.bridge.numbers(X), y)
