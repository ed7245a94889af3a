"""The tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv:2304.11127).

Trials are split by loss into a good and a bad part, each part is modelled by a mixture of kernels
(`_parzen`), and of `n_EI_candidates` draws from the good model the one with the largest density
ratio good / bad is suggested. The model is multivariate: all active parameters of a candidate are
drawn from one kernel and scored together.

    N         finished trials with a usable loss
    n_good    those of them that count as good
    l, g      density of the good trials, and of all others
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_real, is_whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers._parzen import Layout, Parzen
from sparktune.space.distributions import Array
from sparktune.space.space import Space


@dataclass(frozen=True)
class TPE:
    """Tree-structured Parzen estimator.

    Args:
        prior_weight: weight of the prior's kernel against 1 for each observation.
        n_startup_jobs: finished trials with a usable loss before the model takes over from
            random draws.
        n_EI_candidates: draws from the good model of which the best is suggested.
        gamma: share of the finished trials that counts as good: n_good = ceil(gamma * N), at
            most 25.
    """

    prior_weight: float = 1.0
    n_startup_jobs: int = 20
    n_EI_candidates: int = 24
    gamma: float = 0.15

    def __post_init__(self) -> None:
        rules = {
            "prior_weight": is_real(self.prior_weight) and self.prior_weight > 0,
            "n_startup_jobs": is_whole(self.n_startup_jobs) and self.n_startup_jobs >= 0,
            "n_EI_candidates": is_whole(self.n_EI_candidates) and self.n_EI_candidates >= 1,
            "gamma": is_real(self.gamma) and 0 < self.gamma < 1,
        }
        for name, holds in rules.items():
            if not holds:
                raise InvalidArgument(
                    f"tpe.suggest: {name}={getattr(self, name)!r} is out of range; wanted "
                    "prior_weight > 0, integers n_startup_jobs >= 0 and n_EI_candidates >= 1, "
                    "0 < gamma < 1"
                )

    def __call__(self, *, verbose: bool = True, **options: Any) -> TPE:
        """This sampler with other options, so that `partial(tpe.suggest, gamma=0.3)` is one too.

        `verbose` is accepted for Hyperopt's sake and changes nothing.
        """
        known = self.__dataclass_fields__
        if unknown := sorted(options.keys() - known.keys()):
            raise InvalidArgument(
                f"tpe.suggest has no option {', '.join(unknown)}; it has {', '.join(known)}"
            )
        return replace(self, **options)

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). Each knows of the ones before it as of pending trials."""
        if history.ok.sum() < max(self.n_startup_jobs, 1):
            return space.sample(rng, n)
        layout = Layout.of(space)
        good, bad = self.split(history)
        below = Parzen.fit(layout, history.X[good], np.ones(len(good)), self.prior_weight)
        seen = _Seen(space, history.X)
        rows: list[Array] = []
        for _ in range(n):
            others = np.vstack([history.X[bad], *(row[None] for row in rows)])
            above = Parzen.fit(layout, others, np.ones(len(others)), self.prior_weight)
            candidates = below.sample(rng, self.n_EI_candidates)
            score = below.log_density(candidates) - above.log_density(candidates)
            rows.append(seen.best_new(candidates, score))
        return np.array(rows).reshape(n, len(space))

    def split(self, history: View) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the good trials and of all others: bad, failed and pending ones.

        A pending trial repels like a bad one, but counts neither for N nor for the start-up.
        """
        ok = np.flatnonzero(history.ok)
        by_loss = ok[np.argsort(history.loss[ok], kind="stable")]
        good = by_loss[: min(ceil(self.gamma * len(ok)), 25)]
        return np.sort(good), np.setdiff1d(np.arange(len(history)), good)


class _Seen:
    """The points tried already, where a space has only so many: none is proposed again while
    another is at hand.
    """

    def __init__(self, space: Space, X: Array) -> None:
        self._finite = all(np.isfinite(column.distribution.size) for column in space.columns)
        self._rows = {row.tobytes() for row in X} if self._finite else set()

    def best_new(self, candidates: Array, score: Array) -> Array:
        """The unseen candidate with the best score, or the best one of all; seen from now on."""
        order: Sequence[int] = np.argsort(-score, kind="stable").tolist()
        new = (i for i in order if candidates[i].tobytes() not in self._rows)
        chosen: Array = candidates[next(new, order[0])]
        if self._finite:
            self._rows.add(chosen.tobytes())
        return chosen


suggest = TPE()
"""TPE with its defaults: `fmin(..., algo=tpe.suggest)`, or `partial(tpe.suggest, gamma=0.25)`."""
