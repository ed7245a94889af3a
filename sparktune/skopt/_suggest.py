"""The sampler behind `Optimizer` and the minimizers: the initial points, then what a model suggests
by the acquisition that the user named.

Gaussian processes are searched as `samplers.gp` does it, losses warped; other regressors are asked
at the points that `samplers._search` looks at. Points that have not ended are known to the model.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sparktune.history import CODES, View
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._search import OTHERS, Search, in_order, looked_up
from sparktune.samplers._seen import Seen
from sparktune.samplers._spread import crowding
from sparktune.samplers._threads import single_threaded
from sparktune.skopt._acquire import (
    HEDGED,
    MaxValueEntropy,
    acquisition,
    smallest,
)
from sparktune.skopt._bridge import Bridge
from sparktune.skopt._models import fitted
from sparktune.space.distributions import Array
from sparktune.space.space import Space as Columns
from sparktune.surrogates._process import Process
from sparktune.surrogates.gp import GP
from sparktune.surrogates.warping import warped
from sparktune.trial import Status

_WAITING = 256
"""Points at most that are known to the model and have not ended, the newest."""

_DRAWN = 16
"""Random points of which the first new one is taken."""

_NEAR = 1e-4
"""Points that differ by less, in ranges, are not worth to be evaluated at once."""

_LEAST = 1e-9
"""The smallest standard deviation, in ranges of the losses."""

_EQUAL = 1e-9
"""By how much acquisitions differ that are equal."""


@dataclass(frozen=True, eq=False)
class Suggestions:
    """What `Optimizer` suggests.

    Attributes:
        bridge: between its points and rows.
        estimator: a regressor; None: random points for ever.
        acq_func: the acquisition's name.
        options: kappa, xi, eta, n_min_samples, n_thompson.
        n_initial: points that must have ended before the model takes over.
        design: initial points, before random ones; in their order.
        avoid_duplicates: whether a point that was tried is replaced by a random one.
        seconds: {trial: how long it took}, for the acquisitions per second.
        lie: {"strategy": what is believed of points that have not ended}.
    """

    bridge: Bridge
    estimator: Any
    acq_func: str
    options: dict[str, Any]
    n_initial: int
    design: list[Any]
    avoid_duplicates: bool
    seconds: dict[int, float] = field(default_factory=dict)
    lie: dict[str, str] = field(default_factory=dict)

    def suggest(self, space: Columns, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        seen = Allowed(self, history)
        rows: list[Array] = []
        with single_threaded():
            if self.modelled(history):
                rows += self._model(history, n, seen, rng)
            for place in range(len(history) + len(rows), len(history) + n):
                rows.append(self._initial(place, seen, rng, warn=self.modelled(history)))
        return np.array(rows).reshape(-1, len(space))

    def modelled(self, history: View) -> bool:
        """Whether the model has taken over."""
        ended = _ended(history).sum()
        return self.estimator is not None and ended >= self.n_initial and bool(history.ok.any())

    def _initial(self, place: int, seen: Seen, rng: np.random.Generator, warn: bool) -> Array:
        """The initial point at this place, or a random one."""
        drawn = self.random(_DRAWN if self.avoid_duplicates else 1, rng)
        if not warn and place < len(self.design):
            drawn = np.vstack([self.bridge.row(self.design[place]), drawn])
        row = seen.first_new(drawn) if self.avoid_duplicates else drawn[0]
        if row is None:
            row = drawn[0]
            if warn:
                point = self.bridge.of_row(row)
                warnings.warn(
                    f"The objective has been evaluated at all points before; using {point} again",
                    stacklevel=2,
                )
        return row

    def random(self, n: int, rng: np.random.Generator) -> Array:
        """n rows (n, d) from the priors, which the constraint allows."""
        points = self.bridge.space.rvs(n, random_state=rng)
        return np.array([self.bridge.row(point) for point in points])

    def _model(self, history: View, n: int, seen: Seen, rng: np.random.Generator) -> list[Array]:
        """Up to n rows that the model suggests, fewer where all others were tried."""
        ended = _ended(history)
        X, y = history.X[ended], np.where(history.ok, history.loss, np.inf)[ended]
        times = np.array([self.seconds.get(int(i), np.nan) for i in np.flatnonzero(ended)])
        task = _Task(self, X, y, np.log(np.maximum(times, 1e-12)), history.X[history.pending])
        if getattr(self.estimator, "ours", False):
            return list(_by_process(task, n, seen, rng))
        return list(_by_regressor(task, n, seen, rng))


class Allowed(Seen):
    """The points that were tried, those that the constraint does not allow, and those that are too
    near to points that have not ended.
    """

    def __init__(self, sampler: Suggestions, history: View) -> None:
        columns = sampler.bridge.columns
        super().__init__(columns, history.X[history.status != CODES[Status.CANCELLED]])
        self._sampler = sampler
        self._embedding = Embedding.of(columns)
        self._running = history.X[history.pending][-_WAITING:]

    def first_new(self, rows: Array) -> Array | None:
        """The first of the rows that is new, which is seen from now on; None if none is."""
        row = super().first_new(rows)
        if row is not None:
            self._running = np.vstack([self._running, row])
        return row

    def _crowded(self, row: Array) -> bool:
        """Whether a row is as good as one that has not ended."""
        if not len(self._embedding.layout.numeric) or not len(self._running):
            return False
        same = (self._running == row)[:, list(self._embedding.layout.categorical)].all(axis=1)
        gaps = np.abs(self._embedding.unit(self._running) - self._embedding.unit(row[None]))
        return bool((same & (gaps.max(axis=1) < _NEAR)).any())

    def _is_new(self, row: Array) -> bool:
        bridge = self._sampler.bridge
        constraint = bridge.space.constraint
        if constraint is not None and not constraint(bridge.of_row(row)):
            return False
        if not self._sampler.avoid_duplicates:
            return True
        return super()._is_new(row) and not self._crowded(row)


@dataclass(frozen=True, eq=False)
class _Task:
    """What a model is made of: the rows X (n, d) that ended with losses y (n,) and logarithms of
    seconds (n,), and the rows that have not ended.
    """

    sampler: Suggestions
    X: Array
    y: Array
    log_times: Array
    pending: Array

    @property
    def known(self) -> Array:
        """The rows that ended, best first."""
        return self.X[np.argsort(self.y, kind="stable")]

    @property
    def name(self) -> str:
        """The acquisition's."""
        return self.sampler.acq_func

    @property
    def timed(self) -> bool:
        """Whether the acquisition is one per second."""
        return self.name.endswith("ps")

    def named(self, name: str, best: float, unit: float) -> Any:
        """The acquisition of a name; losses have been multiplied by `unit`."""
        options = self.sampler.options
        return acquisition(name, best, options["kappa"], options["xi"] * unit)


# Gaussian processes


@dataclass(frozen=True, eq=False)
class _Timed(Search):
    """A search for improvement per second: seconds are exp of what the process `time` says."""

    time: Process | None = None

    def prior(self, X: Array) -> Array:
        """What is added to the acquisition: the logarithm of the expected 1 / seconds."""
        if self.time is None:
            return super().prior(X)
        mean, sd = self.time.predict(self.embedding.features(X))
        found: Array = 0.5 * sd**2 - mean
        return found

    def _climbed(self, x: Array) -> Array:
        return super()._climbed(x) if self.time is None else x


def _by_process(task: _Task, n: int, seen: Seen, rng: np.random.Generator) -> Iterator[Array]:
    embedding = Embedding.of(task.sampler.bridge.columns)
    groups = tuple(embedding.groups.tolist())
    Z = embedding.features(task.X)
    process = GP(groups, warp=True, noise=task.sampler.estimator.known_noise).fit(Z, task.y)
    pending = embedding.features(task.pending[-_WAITING:])
    time = GP(groups).fit(Z, task.log_times) if task.timed else None
    least = min(process.fitted.min(), process.predict(pending)[0].min(initial=np.inf))
    unit = _slope(task.y, warped(task.y))
    first: Any = task.named("EI", float(least), unit)
    search = _Timed(embedding, process.believing(pending), first, first, task.known, time=time)
    if task.name == "PVRS":
        return _reducing(search, task.sampler.options["n_thompson"], n, seen, rng)
    return _chosen(task, search, float(least), unit, rng).several(n, seen, rng)


def _chosen(
    task: _Task, search: _Timed, least: float, unit: float, rng: np.random.Generator
) -> Search:
    """The search with the acquisition that is wanted."""
    if task.name == "MES":
        X = search.embedding.space.sample(rng, int(task.sampler.options["n_min_samples"]))
        mean, sd = search.process.predict(search.embedding.features(X))
        found: Any = MaxValueEntropy(smallest(mean, sd, 10, rng))
    elif task.name == "gp_hedge":
        found = _hedged(task, search, least, unit, rng)
    else:
        found = task.named(task.name, least, unit)
    return replace(search, acquisition=found, later=found)


def _hedged(
    task: _Task, search: _Timed, least: float, unit: float, rng: np.random.Generator
) -> Any:
    """One of EI, LCB and PI, each as likely as exp(eta times the improvement that is expected where
    it leads): the portfolio of Brochu et al. 2011 (arXiv:1009.5419), whose gains are those of the
    model that is known now.
    """
    named = [task.named(name, least, unit) for name in HEDGED]
    tops = [replace(search, acquisition=each).best_first(rng)[0] for each in named]
    mean, _ = search.process.predict(search.embedding.features(np.array(tops)))
    gains = -task.sampler.options["eta"] * mean
    p = np.exp(gains - gains.max())
    return named[int(rng.choice(len(named), p=p / p.sum()))]


def _reducing(
    search: Search, draws: int, n: int, seen: Seen, rng: np.random.Generator
) -> Iterator[Array]:
    """Points that reduce the variance most where the loss may be smallest (Nguyen et al. 2017,
    predictive variance reduction search): at the minima of draws from the posterior.
    """
    pool = search.best_first(rng)[:OTHERS]
    process, Z = search.process, search.embedding.features(pool)
    minima = Z[np.unique(process.sample(Z, draws, rng).argmin(axis=1))]
    for _ in range(n):
        V, M = process.whitened(Z), process.whitened(minima)
        shared = process.prior_covariance(Z, minima) - V.T @ M
        var = (process.deviations(V) / process.scale) ** 2 + process.sn2
        row = seen.first_new(pool[in_order((shared**2).sum(axis=1) / var)])
        if row is None:
            return
        yield row
        process = process.believing(search.embedding.features(row[None]))


def _slope(y: Array, w: Array) -> float:
    """By how much small losses y (n,) are multiplied where they become w (n,)."""
    order = np.argsort(y, kind="stable")
    low, high = order[0], order[max(int(np.isfinite(y).sum()) // 2 - 1, 1) if len(y) > 1 else 0]
    gap = y[high] - y[low]
    return float((w[high] - w[low]) / gap) if np.isfinite(gap) and gap > 0 else 1.0


# Other regressors


def _by_regressor(task: _Task, n: int, seen: Seen, rng: np.random.Generator) -> Iterator[Array]:
    """Trees predict the same for many points: of the best ones that is taken around which most room
    is. Each point after the first, and the first while others have not ended, is from a model that
    believes them to have ended with a loss that is known.
    """
    embedding = Embedding.of(task.sampler.bridge.columns)
    believed = task.pending[-_WAITING:]
    for _ in range(n):
        score = _scored(task, believed, rng)
        pool, scores = looked_up(embedding, score, task.known, rng)
        level = scores >= scores[0] - _EQUAL * (1 + abs(scores[0]))
        crowd = crowding(embedding.layout, pool[level], np.vstack([task.X, believed]))
        pool[level] = pool[level][np.argsort(crowd, kind="stable")]
        row = seen.first_new(pool)
        if row is None:
            others = seen.others(OTHERS, rng)
            row = seen.first_new(others[in_order(score(others))]) if len(others) else None
        if row is None:
            return
        yield row
        believed = np.vstack([believed, row])


def _scored(task: _Task, believed: Array, rng: np.random.Generator) -> Callable[[Array], Array]:
    """The acquisition at rows, by a model of what ended and of what is believed."""
    sampler, bridge = task.sampler, task.sampler.bridge
    y = np.append(task.y, np.full(len(believed), _lie(task)))
    Z = bridge.numbers(np.vstack([task.X, believed]))
    targets = y
    if task.timed:
        times = np.append(task.log_times, np.full(len(believed), np.median(task.log_times)))
        targets = np.column_stack([y, times])
    model = fitted(sampler.estimator, Z, targets)
    best, scale = float(y.min()), float(np.ptp(y[np.isfinite(y)])) or 1.0
    name = str(rng.choice(HEDGED)) if task.name == "gp_hedge" else task.name
    made: list[Any] = [] if name in ("MES", "PVRS") else [task.named(name, best, 1.0)]

    def score(X: Array) -> Array:
        numbers = bridge.numbers(X)
        part = model.estimators_[0] if task.timed else model
        mean, sd = part.predict(numbers, return_std=True)
        sd = np.maximum(sd, _LEAST * scale)
        (chosen,) = made or [MaxValueEntropy(smallest(mean, sd, 10, rng))]
        found: Array = chosen(mean, sd)
        if task.timed:
            mean, sd = model.estimators_[1].predict(numbers, return_std=True)
            found = found + 0.5 * sd**2 - mean
        return found

    return score


def _lie(task: _Task) -> float:
    """The loss that points are believed to have, by the strategy."""
    finite = task.y[np.isfinite(task.y)]
    how: dict[str, Any] = {"cl_min": np.min, "cl_mean": np.mean, "cl_max": np.max}
    return float(how[task.sampler.lie.get("strategy", "cl_min")](finite))


def _ended(history: View) -> Any:
    return ~history.pending & (history.status != CODES[Status.CANCELLED])
