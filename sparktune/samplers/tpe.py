"""The tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv:2304.11127).

Trials are split by loss into a good and a bad part, each part is modelled by a mixture of kernels
(`_parzen`), and of `n_EI_candidates` draws from the good model the one with the largest density
ratio good / bad is suggested. The model is multivariate: all active parameters of a candidate are
scored together, and every other one has them all from one kernel. The better a good trial, and the
worse a bad one, the more its kernel weighs. In a conditional space the branch comes first
(`_branches`). Until there are enough results, points are spread evenly (`_spread`); none is tried
twice while another is left (`_seen`).

All choices but the options were made on the development problems of `tests/benchmarks`.

    N         finished trials with a usable loss
    n_good    those of them that count as good
    l, g      density of the good trials, and of the bad ones
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_real, is_whole
from sparktune.history import CODES, View
from sparktune.samplers._branches import Branch, drawn, inside
from sparktune.samplers._options import require, with_options
from sparktune.samplers._parzen import Parzen
from sparktune.samplers._points import Points
from sparktune.samplers._ratio import Ratio
from sparktune.samplers._seen import Seen
from sparktune.samplers._spread import spread
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.trial import Status

Parts: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]

_OTHERS = 256
"""Number of further points that are considered if all candidates have been tried."""

_ENOUGH = 5
"""With this number of results, a branch has its own good and bad trials."""

_KERNELS = 500
"""Largest number of bad trials in g: the newest ones, and as many evenly spread older ones."""


@dataclass(frozen=True)
class TPE:
    """Tree-structured Parzen estimator.

    Args:
        prior_weight: weight of the prior's kernel against 1 for each observation.
        n_startup_jobs: finished trials with a usable loss before the model takes over. Until then
            points fill the space evenly.
        n_EI_candidates: number of draws from the good model, the best of which is suggested.
        gamma: share of the finished trials that counts as good: n_good = ceil(gamma * N), at
            most 25.
        repeats: what happens once every point of a finite space has been tried. False: the run
            ends. True: points are tried again, which suits a noisy objective.
    """

    prior_weight: float = 1.0
    n_startup_jobs: int = 8
    n_EI_candidates: int = 24
    gamma: float = 0.15
    repeats: bool = False

    def __post_init__(self) -> None:
        weight, startup, draws = self.prior_weight, self.n_startup_jobs, self.n_EI_candidates
        require(self, "prior_weight", is_real(weight) and weight > 0, "a number > 0")
        require(self, "n_startup_jobs", is_whole(startup) and startup >= 0, "an integer >= 0")
        require(self, "n_EI_candidates", is_whole(draws) and draws >= 1, "an integer >= 1")
        inside = is_real(self.gamma) and 0 < self.gamma < 1
        require(self, "gamma", inside, "a number between 0 and 1")
        require(self, "repeats", isinstance(self.repeats, bool), "True or False")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). Fewer if every point of a finite space is tried or running.

        Each row keeps away from pending trials and from the rows before it.
        """
        if n == 0 or not len(space):
            return np.empty((n, len(space)))
        if history.ok.sum() < max(self.n_startup_jobs, 1):
            rows = spread(space, history, n, rng, self.repeats)
        else:
            rows = self._modelled(space, history, n, rng)
        return np.array(list(rows)).reshape(-1, len(space))

    def split(self, history: View) -> Parts:
        """Indices of the good trials, best first, and of the bad ones: the rest of those with a
        usable loss, and the failed ones. Pending and cancelled trials are neither.
        """
        good = self._best(history, history.ok)
        bad = ~history.pending & (history.status != CODES[Status.CANCELLED])
        bad[good] = False
        return good, np.flatnonzero(bad)

    def _best(self, history: View, among: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Indices of the n_good best of these trials, best first."""
        found = np.flatnonzero(among)
        n_good = min(ceil(self.gamma * len(found)), 25)
        return found[np.argsort(history.loss[found], kind="stable")[:n_good]]

    def _modelled(
        self, space: Space, history: View, n: int, rng: np.random.Generator
    ) -> Iterator[Array]:
        seen, parts = Seen.of(space, history), self.split(history)
        for branch, count in self._branches(space, history, parts, n, rng):
            ratio = self._ratio(space, history, parts, branch)
            yield from self._chosen(ratio, branch, count, seen, rng)

    def _branches(
        self, space: Space, history: View, parts: Parts, n: int, rng: np.random.Generator
    ) -> list[tuple[Branch, int]]:
        """The branches of n suggestions, and the number of suggestions in each."""
        if not space.layout.parents:
            return [({}, n)]
        good, bad = parts
        X, bad = history.X, _thinned(bad)
        below = self._mixture(space, X[good], good_weights(len(good)))
        above = self._mixture(space, X[bad], np.ones(len(bad)))
        return drawn(below, above, n, rng)

    def _ratio(self, space: Space, history: View, parts: Parts, branch: Branch) -> Ratio:
        """The ratio that ranks points of a branch."""
        good, weights, bad = self._split_within(history, parts, branch)
        X, bad = history.X, _thinned(bad)
        losses = np.where(history.ok[bad], history.loss[bad], np.inf)
        below = self._mixture(space, X[good], weights)
        above = self._mixture(space, X[bad], bad_weights(losses))
        return Ratio(below, above, X[history.pending])

    def _mixture(self, space: Space, X: Array, weights: Array) -> Parzen:
        """The kernels of rows X, and the prior's."""
        return Parzen.fit(Points.of(space, X), weights, self.prior_weight)

    def _split_within(
        self, history: View, parts: Parts, branch: Branch
    ) -> tuple[NDArray[np.intp], Array, NDArray[np.intp]]:
        """Good trials, their weights, and bad trials for a branch.

        If the branch has enough results, its best trials are good, even if those of other branches
        are better.
        """
        good, bad = parts
        if not branch or (mine := history.ok & inside(branch, history.X)).sum() < _ENOUGH:
            return good, good_weights(len(good)), bad
        here, elsewhere = self._best(history, mine), good[~mine[good]]
        weights = np.append(good_weights(len(here)), good_weights(len(elsewhere)))
        both = np.append(here, elsewhere)
        others = np.zeros(len(history.X), dtype=bool)
        others[good] = others[bad] = True
        others[both] = False
        return both, weights, np.flatnonzero(others)

    def _chosen(
        self, ratio: Ratio, branch: Branch, n: int, seen: Seen, rng: np.random.Generator
    ) -> Iterator[Array]:
        """Up to n new points of a branch, or of other branches if it has no more."""
        m = self.n_EI_candidates
        candidates = ratio.below.sample(rng, n * m, branch)
        scores = ratio.scores(candidates)
        chosen: Array | None = None
        for _ in range(n):
            if chosen is not None:
                candidates, scores = candidates[m:], ratio.repelled(scores.without(m), chosen)
            chosen = seen.first_new(candidates[np.argsort(-scores.now[:m], kind="stable")])
            if chosen is None:
                others = seen.others(_OTHERS, rng)
                best_first = np.argsort(-ratio.scores(others).now, kind="stable")
                chosen = seen.first_new(others[best_first])
            if chosen is None and self.repeats:
                chosen = candidates[int(np.argmax(scores.now[:m]))]
            if chosen is None:
                return
            yield chosen


def good_weights(n: int) -> Array:
    """Weights (n,) of the good trials, best first: log(n + 1/2) - log(rank), as in evolution
    strategies (Hansen 2016, arXiv:1604.00772, eq. 49), with the mean 1. They depend on the order of
    the losses alone, so that neither outliers nor infinite losses matter.
    """
    w = np.log(n + 0.5) - np.log(np.arange(1, n + 1))
    weights: Array = w * n / w.sum()
    return weights


def bad_weights(losses: Array) -> Array:
    """Weights (n,) of the bad trials in proportion to the ranks of their losses (n,), with the mean
    1: a trial that was nearly good says little against its neighbourhood.
    """
    w = np.empty(len(losses))
    w[np.argsort(losses, kind="stable")] = np.arange(1, len(losses) + 1)
    return w * 2 / (len(losses) + 1)


def _thinned(bad: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `_KERNELS` of the bad trials."""
    if len(bad) <= _KERNELS:
        return bad
    older, newest = bad[: -(_KERNELS // 2)], bad[-(_KERNELS // 2) :]
    kept = np.linspace(0, len(older) - 1, _KERNELS - len(newest)).astype(int)
    return np.concatenate([older[kept], newest])


suggest = TPE()
"""TPE with its defaults: `fmin(..., algo=tpe.suggest)`, or `partial(tpe.suggest, gamma=0.25)`."""
