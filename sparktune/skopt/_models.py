"""The models of a result, fitted on first access.

A model is a pure function of the evaluations that it is fitted to, so a search need not store its
models. The most recently used models are cached; other models are fitted again when needed.
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

_CACHE_SIZE = 4
_cache: OrderedDict[bytes, Any] = OrderedDict()


def fitted(estimator: Any, Z: Array, y: Array) -> Any:
    """Fit a copy of the estimator to targets y (n,) or (n, 2) at the rows Z (n, p), or return it
    from the cache. An infinite loss means a failed evaluation; it counts as worse than the worst
    finite loss.
    """
    from sklearn.base import clone

    y = _finite(y)
    digest = hashlib.sha1(f"{type(estimator).__module__} {estimator.get_params()!r}".encode())
    for array in (Z, y):
        digest.update(np.ascontiguousarray(array).tobytes())
    key = digest.digest()
    model = _cache.pop(key, None)
    if model is None:
        with single_threaded():
            model = clone(estimator).fit(Z, y)
    _cache[key] = model
    while len(_cache) > _CACHE_SIZE:
        _cache.popitem(last=False)
    return model


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
    """Return the estimator for one target: the inner estimator of a `MultiOutputRegressor`, which
    has a copy for losses and a copy for seconds, or else the estimator itself.
    """
    from sklearn.multioutput import MultiOutputRegressor

    return estimator.estimator if isinstance(estimator, MultiOutputRegressor) else estimator


@dataclass(eq=False)
class Models(Sequence[Any]):
    """The models of an optimizer, as a sequence. For each number n in `sizes` it has a model fitted
    to the first n points and their losses, or (loss, seconds).
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
