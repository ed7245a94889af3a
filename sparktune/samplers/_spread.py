"""The first points of a run, which fill the space evenly between existing points.

They are a low-discrepancy design, made one point at a time: of random candidates, the one with the
smallest crowding by earlier points. Crowding is the kernel of the wrap-around L2-discrepancy
(Hickernell 1998), extended to categories. It rewards evenness in every projection on few
parameters. Unlike a sequence, the design needs no state, fills the gaps around a user's points, and
respects conditions: an inactive parameter does not count.

    U, V   (n, c), (m, c)   numeric columns as prior probabilities, NaN where inactive
    k(t)   1 + _STRENGTH (1/6 - t (1 - t)) at distance t: how much two points crowd each other in
           one parameter; 1 on average
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparktune.history import View
from sparktune.samplers._seen import Seen
from sparktune.space.distributions import Array
from sparktune.space.layout import Layout
from sparktune.space.space import Space

_STRENGTH = 3.0

_CANDIDATES = 64
"""Number of random candidates."""

_OTHERS = 256
"""Number of further points that are considered if all candidates have been tried."""

_NEWEST = 500
"""Number of the newest trials that count, because there can be many if most trials fail."""


def spread(
    space: Space, history: View, n: int, rng: np.random.Generator, repeats: bool
) -> Iterator[Array]:
    """Up to n points far from the trials and from each other. Points are tried again only if there
    is no other and `repeats` allows it.
    """
    seen = Seen.of(space, history)
    pool = space.sample(rng, _CANDIDATES + 4 * (n - 1))
    crowd = crowding(space.layout, pool, history.X[-_NEWEST:])
    chosen: Array | None = None
    for _ in range(n):
        if chosen is not None:
            crowd += crowding(space.layout, pool, chosen[None])
        chosen = seen.first_new(pool[np.argsort(crowd, kind="stable")])
        if chosen is None:
            chosen = seen.first_new(seen.others(_OTHERS, rng))
        if chosen is None and repeats:
            chosen = pool[int(np.argmin(crowd))]
        if chosen is None:
            return
        yield chosen


def crowding(layout: Layout, X: Array, points: Array) -> Array:
    """The crowding of each row of X (n, d) by `points` (m, d), shape (n,)."""
    factors = np.ones((len(X), len(points)))
    U, V = layout.unit(X), layout.unit(points)
    for u, v in zip(U.T, V.T, strict=True):
        t = np.abs(u[:, None] - v)
        factors *= np.nan_to_num(1 + _STRENGTH * (1 / 6 - t * (1 - t)), nan=1.0)
    for j, p in zip(layout.categorical, layout.options, strict=True):
        x, y = X[:, j, None], points[:, j]
        share = p[np.nan_to_num(y).astype(int)]
        same = np.where(x == y, 1 / np.maximum(share, 1e-6), 0.0)
        factors *= np.where(np.isnan(x) | np.isnan(y), 1.0, (1 + same) / 2)
    total: Array = factors.sum(axis=1)
    return total
