"""Bayesian optimisation with a random forest, as in SMAC (Lindauer et al. 2022).

The forest (`surrogates/forest`) models the losses, the bad ones on a logarithmic scale. A
suggestion maximises the expected improvement over the smallest mean of an evaluated point. One of
five suggestions is drawn from the prior. A point that has been chosen but not evaluated makes the
model more certain of points that share leaves with it.

    s(x, x')   share of the trees in which x and x' are in the same leaf
    sd         of the loss at x; after x' has been chosen, sd sqrt(1 - s(x, x')^2)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_whole
from sparktune.history import CODES, View
from sparktune.samplers._acquisition import LogEI
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._options import require, with_options
from sparktune.samplers._search import OTHERS, in_order, looked_up
from sparktune.samplers._seen import Seen
from sparktune.samplers._spread import spread
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.surrogates.forest import Forest, Trees, shared
from sparktune.trial import Status

_RANDOM = 5
"""One of this many suggestions is drawn from the prior."""

_POOL = 50
"""Candidates for each of several suggestions made at once."""


@dataclass(frozen=True)
class RandomForest:
    """Bayesian optimisation with a random forest. Needs scikit-learn.

    Args:
        trees: number of trees.
        n_startup_jobs: finished trials with a usable loss before the model takes over. Until then
            points fill the space evenly.
        repeats: what happens once every point of a finite space has been tried. False: the run
            ends. True: points are tried again, which suits a noisy objective.
    """

    trees: int = 16
    n_startup_jobs: int = 10
    repeats: bool = False

    def __post_init__(self) -> None:
        require(self, "trees", is_whole(self.trees) and self.trees >= 1, "an integer >= 1")
        n = self.n_startup_jobs
        require(self, "n_startup_jobs", is_whole(n) and n >= 0, "an integer >= 0")
        require(self, "repeats", isinstance(self.repeats, bool), "True or False")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). Fewer if every point of a finite space is tried or running.

        Raises:
            ImportError: scikit-learn is not installed.
        """
        if n == 0 or not len(space):
            return np.empty((n, len(space)))
        if history.ok.sum() < max(self.n_startup_jobs, 1):
            rows = spread(space, history, n, rng, self.repeats)
        else:
            rows = self._modelled(space, history, n, rng)
        return np.array(list(rows)).reshape(-1, len(space))

    def _modelled(
        self, space: Space, history: View, n: int, rng: np.random.Generator
    ) -> Iterator[Array]:
        embedding, seen = Embedding.of(space), Seen.of(space, history)
        ended = ~history.pending & (history.status != CODES[Status.CANCELLED])
        X, y = history.X[ended], np.where(history.ok, history.loss, np.inf)[ended]
        trees = Forest(self.trees, warp=True).fit(embedding.features(X), y, rng)
        chosen = embedding.features(history.X[history.pending])
        known = X[np.argsort(y, kind="stable")]

        def score(rows: Array) -> Array:
            return _Candidates.of(trees, rows, embedding.features(rows), chosen).scores

        pool = looked_up(embedding, score, known, rng)[0][: _POOL * n]
        candidates = _Candidates.of(trees, pool, embedding.features(pool), chosen)
        for place in range(len(history), len(history) + n):
            drawn = space.sample(rng, OTHERS) if place % _RANDOM == 0 else candidates.rows
            row = seen.first_new(drawn)
            if row is None:
                row = seen.first_new(seen.others(OTHERS, rng))
            if row is None and self.repeats:
                row = candidates.rows[0]
            if row is None:
                return
            yield row
            if place + 1 < len(history) + n:
                candidates = candidates.after(trees, embedding.features(row[None])).best_first


@dataclass(frozen=True)
class _Candidates:
    """Rows (m, d), and what the model knows about them after some points were chosen.

    Attributes:
        rows: the candidates.
        leaves: (m, T) their leaves.
        mean, sd: (m,) of their losses before any point was chosen.
        certain: (m,) the largest s of a candidate and a chosen point.
        best: the smallest mean of an evaluated or chosen point.
    """

    rows: Array
    leaves: NDArray[np.intp]
    mean: Array
    sd: Array
    certain: Array
    best: float

    @staticmethod
    def of(trees: Trees, rows: Array, Z: Array, chosen: Array) -> _Candidates:
        """Candidates with features Z (m, p), after points with features `chosen` (k, p)."""
        mean, sd = trees.predict(Z)
        best = float(trees.fitted.min())
        found = _Candidates(rows, trees.leaves(Z), mean, sd, np.zeros(len(Z)), best)
        return found.after(trees, chosen) if len(chosen) else found

    def after(self, trees: Trees, chosen: Array) -> _Candidates:
        """The candidates after more points, with features `chosen` (k, p)."""
        certain = shared(self.leaves, trees.leaves(chosen)).max(axis=1)
        return replace(
            self,
            certain=np.maximum(self.certain, certain),
            best=min(self.best, float(trees.predict(chosen)[0].min())),
        )

    @property
    def scores(self) -> Array:
        """The logarithm of the expected improvement of each candidate, shape (m,)."""
        sd = self.sd * np.sqrt(1 - np.minimum(self.certain, 1 - 1e-6) ** 2)
        return LogEI(self.best)(self.mean, sd)

    @property
    def best_first(self) -> _Candidates:
        """The candidates in the order of their scores."""
        order = in_order(self.scores)
        return _Candidates(
            self.rows[order],
            self.leaves[order],
            self.mean[order],
            self.sd[order],
            self.certain[order],
            self.best,
        )


suggest = RandomForest()
"""A random forest with its defaults: `fmin(..., algo="forest")`, or "smac"."""
