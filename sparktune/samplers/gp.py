"""Bayesian optimisation with a Gaussian process, in spaces of every shape.

One process models all finished trials (`surrogates/gp`), across the branches of a conditional
space (`_embedding`). Failed trials count as worse than the worst loss. A suggestion maximises the
expected improvement over the smallest posterior mean (`_acquisition`, `_search`). The first points
fill the space evenly (`_spread`). No point is tried twice while an untried one is left (`_seen`).

All choices but the options were made on the development problems of `tests/benchmarks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.arguments import is_real, is_whole
from sparktune.history import CODES, View
from sparktune.samplers._acquisition import ACQUISITIONS, Acquisition, Bound, Exploration
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._integrated import Integrated
from sparktune.samplers._options import require, with_options
from sparktune.samplers._search import OTHERS, Search
from sparktune.samplers._seen import Seen
from sparktune.samplers._spread import spread
from sparktune.samplers._threads import single_threaded
from sparktune.samplers.prior import Belief, read
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.surrogates._process import Process
from sparktune.surrogates.gp import GP
from sparktune.trial import Status

_KAPPA_PE = 1.8
"""kappa of "ucb_pe", from the paper."""

_CROWDED = 2
"""With at most this many parameters the search soon has several points near the best one. They are
known better than one evaluation can tell, but without regard to noise some improvement is always
expected there, and the search stays. With more parameters this changed nothing.
"""

_DRAWS = 10
"""Processes over which an integrated acquisition is averaged."""

_WAITING = 256
"""The model knows the newest pending trials, at most this many. No pending point is tried again."""


@dataclass(frozen=True)
class GaussianProcess:
    """Bayesian optimisation with a Gaussian process.

    Args:
        acquisition: what a suggestion maximises. "logei" and "ei": the expected improvement, with
            one or two parameters less where noise would hide it (Huang et al. 2006). "pi": the
            probability of an improvement. "lcb" and "ucb": the lower confidence bound.
            "ucb_pe": for the first of several suggestions the lower confidence bound, for the
            others the uncertainty within the region that may hold the best point (Song et al. 2024,
            arXiv:2408.11527). "thompson": the smallest loss in a draw from the posterior.
        kappa: how many standard deviations below the mean the lower confidence bound lies. Used by
            "lcb", "ucb" and "thompson", which draws among the points with the lowest bounds.
        n_startup_jobs: finished trials with a usable loss before the model takes over. Until then
            points fill the space evenly. None: 4 to 12, depending on the number of parameters.
        trend: whether linear and quadratic effects of the parameters are a part of the model. They
            lead to the good region in few trials; without them the model knows distances only.
        integrated: whether the expected improvement is averaged over ten processes whose
            hyperparameters are drawn from their posterior (Snoek et al. 2012, Spearmint). False:
            the process with the most likely ones is used, which takes a tenth of the time or less.
        prior: where good values are likely to be, {label: hp.* parameter}; see `prior`.
        repeats: what happens once every point of a finite space has been tried. False: the run
            ends. True: points are tried again, which suits a noisy objective.
    """

    acquisition: str = "logei"
    kappa: float = 1.96
    n_startup_jobs: int | None = None
    trend: bool = True
    integrated: bool = False
    prior: Mapping[str, Any] | Belief | None = None
    repeats: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "prior", read(self.prior))
        names = [*ACQUISITIONS, "ucb_pe", "thompson"]
        known = isinstance(self.acquisition, str) and self.acquisition in names
        require(self, "acquisition", known, f"one of {', '.join(map(repr, names))}")
        require(self, "kappa", is_real(self.kappa) and self.kappa >= 0, "a number >= 0")
        n = self.n_startup_jobs
        require(
            self, "n_startup_jobs", n is None or (is_whole(n) and n >= 0), "None or an integer >= 0"
        )
        require(self, "trend", isinstance(self.trend, bool), "True or False")
        require(self, "integrated", isinstance(self.integrated, bool), "True or False")
        improving = not self.integrated or self.acquisition in ("ei", "logei")
        require(self, "integrated", improving, 'False unless acquisition is "ei" or "logei"')
        require(self, "repeats", isinstance(self.repeats, bool), "True or False")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). Fewer if every point of a finite space is tried or running.

        The newest 256 pending trials count as if they had ended with the loss that the model
        expects.
        """
        if n == 0 or not len(space):
            return np.empty((n, len(space)))
        if history.ok.sum() < max(self._startup(len(space)), 1):
            rows = self._first(space, history, n, rng)
        else:
            rows = self._modelled(space, history, n, rng)
        with single_threaded():
            return np.array(list(rows)).reshape(-1, len(space))

    def _first(
        self, space: Space, history: View, n: int, rng: np.random.Generator
    ) -> Iterator[Array]:
        """Points before there is a model. They fill the space evenly. With a belief they alternate
        with draws from it, the first of which is its centre.
        """
        if (belief := read(self.prior)) is None:
            yield from spread(space, history, n, rng, self.repeats)
            return
        belief.check(space)
        for i in range(len(history), len(history) + n):
            if i % 2:
                rows = list(spread(space, history, 1, rng, self.repeats))
            else:
                drawn = belief.sample(space, rng, OTHERS)
                drawn[0] = belief.centre(space)
                row = Seen.of(space, history).first_new(drawn[i > 0 :])
                rows = list(spread(space, history, 1, rng, self.repeats)) if row is None else [row]
            yield from rows
            history = history.with_pending(np.array(rows).reshape(-1, len(space)))

    def _startup(self, d: int) -> int:
        if self.n_startup_jobs is not None:
            return self.n_startup_jobs
        return min(max(d // 2 + 3, 4), 12)

    def _modelled(
        self, space: Space, history: View, n: int, rng: np.random.Generator
    ) -> Iterator[Array]:
        search = self.search(space, history, rng)
        count, thompson = 0, self.acquisition == "thompson"
        find = search.drawn if thompson else search.several
        for row in find(n, Seen.of(space, history), rng):
            count += 1
            yield row
        if self.repeats and count < n:
            yield from search.best_first(rng)[: n - count]

    def search(self, space: Space, history: View, rng: np.random.Generator) -> Search:
        """The search for the next points, with a model of the trials so far."""
        embedding = Embedding.of(space)
        ended = ~history.pending & (history.status != CODES[Status.CANCELLED])
        X, y = history.X[ended], np.where(history.ok, history.loss, np.inf)[ended]
        pending = embedding.features(history.X[history.pending][-_WAITING:])
        known, belief = X[np.argsort(y, kind="stable")], read(self.prior)
        if self.integrated:
            Z, variance = embedding.features(X), history.variance[ended]
            drawn = _surrogate(embedding, self.trend).draws(Z, y, _DRAWS, rng, variance)
            parts = tuple(
                (each.believing(pending), self._acquisitions(each, pending, len(space))[0])
                for each in drawn
            )
            return Integrated(embedding, *parts[0], parts[0][1], known, belief, parts)
        process = model_of(embedding, X, y, history.variance[ended], trend=self.trend)
        first, later = self._acquisitions(process, pending, len(space))
        return Search(embedding, process.believing(pending), first, later, known, belief)

    def _acquisitions(
        self, process: Process, pending: Array, d: int
    ) -> tuple[Acquisition, Acquisition]:
        """The acquisition of the first of several points, and that of the others; d parameters."""
        if self.acquisition == "thompson":
            return Bound(self.kappa), Bound(self.kappa)
        if self.acquisition != "ucb_pe":
            least = min(process.fitted.min(), process.predict(pending)[0].min(initial=np.inf))
            noise = noise_of(process, d)
            one = ACQUISITIONS[self.acquisition](float(least), noise, self.kappa)
            return one, one
        rows = np.vstack([process.Z, pending])
        mean, sd = process.predict(rows)
        likely = int(np.argmin(mean - _KAPPA_PE * sd))
        return Bound(_KAPPA_PE), Exploration(float(mean[likely]))


def model_of(
    embedding: Embedding, X: Array, y: Array, variance: Array, *, trend: bool = True
) -> Process:
    """The process fitted to losses y (n,) at rows X (n, d). A loss is infinite if its trial failed.
    `variance` (n,) is the reported variance of their noise, NaN where none was reported.
    """
    return _surrogate(embedding, trend).fit(embedding.features(X), y, variance=variance)


def _surrogate(embedding: Embedding, trend: bool) -> GP:
    """The kind of process that models losses."""
    return GP(tuple(embedding.groups.tolist()), warp=True, trend=trend)


def noise_of(process: Process, d: int) -> float:
    """The noise that the expected improvement takes into account in a space of d parameters. It is
    that of one observation for one or two parameters, and 0 for more.
    """
    return process.scale * float(np.sqrt(process.sn2)) if d <= _CROWDED else 0.0


suggest = GaussianProcess()
"""A Gaussian process with its defaults: `fmin(..., algo="gp")`."""
