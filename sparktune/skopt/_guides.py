"""Where a model of the losses leads: points of a space by an acquisition, and what is believed of
those that are under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from sparktune.samplers._embedding import Embedding
from sparktune.samplers._search import OTHERS, Search, in_order, looked_up
from sparktune.samplers._spread import crowding
from sparktune.skopt._acquire import MaxValueEntropy, acquisition, smallest
from sparktune.skopt._bridge import Bridge
from sparktune.skopt._models import fitted
from sparktune.space.distributions import Array
from sparktune.surrogates._process import Process
from sparktune.surrogates.gp import GP
from sparktune.surrogates.warping import warped

_LEAST = 1e-9
"""The smallest standard deviation, in those of the losses."""

_EQUAL = 1e-9
"""By how much acquisitions differ that are equal."""

_MINIMA, _LOOKED_AT = 10, 1000
"""Draws of the smallest loss, for "MES", and points that it may be at."""


class Guide(Protocol):
    """What leads to points."""

    @property
    def losses(self) -> Array:
        """Those that the model was made of, in its unit."""

    def best_first(self, name: str, rng: np.random.Generator) -> Array:
        """Rows (m, d), those with the largest acquisition of this name first."""

    def mean(self, X: Array) -> Array:
        """The losses (m,) that are expected at rows (m, d), in the model's unit."""

    def after(self, X: Array) -> Guide:
        """What it is when rows (m, d) are under way."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a model is made of: the rows X (n, d) in the order in which they ended, with losses y
    (n,), infinite where one failed, and, for acquisitions per second, logarithms of seconds (n,).

    `lie` is what is believed of the losses of rows that are under way: the smallest one, "cl_min",
    the mean, "cl_mean", or the largest, "cl_max"; None: what the model expects.
    """

    bridge: Bridge
    estimator: Any
    options: dict[str, Any]
    X: Array
    y: Array
    log_times: Array | None
    lie: str | None

    @property
    def known(self) -> Array:
        """The rows, best first."""
        return self.X[np.argsort(self.y, kind="stable")]

    @property
    def believed(self) -> float:
        """The loss that the lie means."""
        how: dict[str | None, Any] = {None: np.min, "cl_min": np.min, "cl_mean": np.mean}
        return float(how.get(self.lie, np.max)(self.y[np.isfinite(self.y)]))

    def named(self, name: str, best: float, unit: float) -> Any:
        """The acquisition of a name; losses have been multiplied by `unit`."""
        return acquisition(name, best, self.options["kappa"], self.options["xi"] * unit)

    def guide(self) -> Guide:
        """That of our Gaussian process, or of another regressor."""
        ours = getattr(self.estimator, "ours", False)
        return ByProcess.of(self) if ours else ByRegressor.of(self, self.X[:0])


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


@dataclass(frozen=True, eq=False)
class ByProcess:
    """A Gaussian process of warped losses, searched as `samplers.gp` does it. `best` is the loss to
    improve on, `unit` by how much small losses have been multiplied.
    """

    task: Task
    search: _Timed
    losses: Array
    best: float
    unit: float

    @staticmethod
    def of(task: Task) -> ByProcess:
        """The guide by the losses that are known."""
        embedding = Embedding.of(task.bridge.columns)
        groups, Z = tuple(embedding.groups.tolist()), embedding.features(task.X)
        process = GP(groups, warp=True, noise=task.estimator.known_noise).fit(Z, task.y)
        time = None if task.log_times is None else GP(groups).fit(Z, task.log_times)
        losses, best = warped(task.y), float(process.fitted.min())
        unit = _slope(task.y, losses)
        first: Any = task.named("EI", best, unit)
        search = _Timed(embedding, process, first, first, task.known, time=time)
        return ByProcess(task, search, losses, best, unit)

    def mean(self, X: Array) -> Array:
        """The warped losses (m,) that are expected at rows (m, d)."""
        return self.search.process.mean(self.search.embedding.features(X))

    def best_first(self, name: str, rng: np.random.Generator) -> Array:
        """Rows (m, d), those with the largest acquisition first."""
        if name == "PVRS":
            return self._reducing(rng)
        if name == "MES":
            X = self.search.embedding.space.sample(rng, _LOOKED_AT)
            mean, sd = self.search.process.predict(self.search.embedding.features(X))
            wanted: Any = MaxValueEntropy(smallest(mean, sd, _MINIMA, rng))
        else:
            wanted = self.task.named(name, self.best, self.unit)
        return replace(self.search, acquisition=wanted).best_first(rng)

    def after(self, X: Array) -> ByProcess:
        """The guide when rows (m, d) are under way."""
        process, Z = self.search.process, self.search.embedding.features(X)
        if self.task.lie is None:
            best = float(process.mean(Z).min(initial=self.best))
            process = process.believing(Z)
        else:
            believed = self._warped(self.task.believed)
            best = min(self.best, believed)
            process = process.observing(Z, np.full(len(X), believed))
        first = self.task.named("EI", best, self.unit)
        search = replace(self.search, process=process, acquisition=first)
        return replace(self, search=search, best=best)

    def _warped(self, loss: float) -> float:
        """A loss between the smallest and the largest one, in the process's unit."""
        finite = np.flatnonzero(np.isfinite(self.task.y))
        order = finite[np.argsort(self.task.y[finite], kind="stable")]
        return float(np.interp(loss, self.task.y[order], self.losses[order]))

    def _reducing(self, rng: np.random.Generator) -> Array:
        """Rows that reduce the variance most where the loss may be smallest, at the minima of draws
        from the posterior (Nguyen et al. 2017, predictive variance reduction search).
        """
        pool = self.search.best_first(rng)[:OTHERS]
        process, Z = self.search.process, self.search.embedding.features(pool)
        draws = process.sample(Z, int(self.task.options["n_thompson"]), rng)
        minima = Z[np.unique(draws.argmin(axis=1))]
        V, M = process.whitened(Z), process.whitened(minima)
        shared = process.prior_covariance(Z, minima) - V.T @ M
        var = (process.deviations(V, Z) / process.scale) ** 2 + process.sn2
        return pool[in_order((shared**2).sum(axis=1) / var)]


def _slope(y: Array, w: Array) -> float:
    """By how much small losses y (n,) are multiplied where they become w (n,)."""
    order = np.argsort(y, kind="stable")
    low, high = order[0], order[max(int(np.isfinite(y).sum()) // 2 - 1, 1) if len(y) > 1 else 0]
    gap = y[high] - y[low]
    return float((w[high] - w[low]) / gap) if np.isfinite(gap) and gap > 0 else 1.0


# Other regressors


@dataclass(frozen=True, eq=False)
class ByRegressor:
    """A regressor of the losses that are known, and of those that are believed of the rows
    `under_way`. `unit` is the losses' standard deviation.

    Trees predict the same for many points: of the best ones that is taken around which most room
    is.
    """

    task: Task
    under_way: Array
    losses: Array
    model: Any
    unit: float
    _known: dict[bytes, tuple[Array, Array]] = field(default_factory=dict)

    @staticmethod
    def of(task: Task, under_way: Array) -> ByRegressor:
        """The guide by the losses that are known and believed."""
        losses = np.append(task.y, np.full(len(under_way), task.believed))
        targets = losses
        if task.log_times is not None:
            times = np.full(len(under_way), np.median(task.log_times))
            targets = np.column_stack([losses, np.append(task.log_times, times)])
        Z = task.bridge.numbers(np.vstack([task.X, under_way]))
        unit = float(np.std(losses[np.isfinite(losses)])) or 1.0
        return ByRegressor(task, under_way, losses, fitted(task.estimator, Z, targets), unit)

    def mean(self, X: Array) -> Array:
        """The losses (m,) that are expected at rows (m, d), in standard deviations."""
        found: Array = self._losses.predict(self.task.bridge.numbers(X)) / self.unit
        return found

    def best_first(self, name: str, rng: np.random.Generator) -> Array:
        """Rows (m, d), those with the largest acquisition first."""
        embedding = Embedding.of(self.task.bridge.columns)
        pool, scores = looked_up(embedding, self._scores(name, rng), self.task.known, rng)
        level = scores >= scores[0] - _EQUAL * (1 + abs(scores[0]))
        others = np.vstack([self.task.X, self.under_way])
        crowd = crowding(embedding.layout, pool[level], others)
        pool[level] = pool[level][np.argsort(crowd, kind="stable")]
        return pool

    def after(self, X: Array) -> ByRegressor:
        """The guide when rows (m, d) are under way, too."""
        return ByRegressor.of(self.task, np.vstack([self.under_way, X]))

    @property
    def _losses(self) -> Any:
        """The model of the losses."""
        return self.model if self.task.log_times is None else self.model.estimators_[0]

    def _scores(self, name: str, rng: np.random.Generator) -> Callable[[Array], Array]:
        """The acquisition of a name, as a function of rows."""
        best = float(self.losses.min())
        entropy = name in ("MES", "PVRS")

        def scores(X: Array) -> Array:
            mean, sd = self._predicted(X)
            if entropy:
                wanted: Any = MaxValueEntropy(smallest(mean, sd, _MINIMA, rng))
            else:
                wanted = self.task.named(name, best, 1.0)
            found: Array = wanted(mean, sd)
            if self.task.log_times is not None:
                numbers = self.task.bridge.numbers(X)
                time, doubt = self.model.estimators_[1].predict(numbers, return_std=True)
                found = found + 0.5 * doubt**2 - time
            return found

        return scores

    def _predicted(self, X: Array) -> tuple[Array, Array]:
        """Mean and standard deviation (m,) at rows (m, d); those of rows that several acquisitions
        look at are kept.
        """
        key = X.tobytes()
        if key not in self._known:
            mean, sd = self._losses.predict(self.task.bridge.numbers(X), return_std=True)
            self._known[key] = mean, np.maximum(sd, _LEAST * self.unit)
        return self._known[key]
