"""Models of the losses that rank the points of a space by an acquisition function and take pending
points into account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from sparktune.samplers._embedding import Embedding
from sparktune.samplers._search import OTHERS, Search, in_order, looked_up
from sparktune.samplers._spread import crowding
from sparktune.samplers.gp import noise_of
from sparktune.skopt._acquire import MaxValueEntropy, acquisition, smallest
from sparktune.skopt._bridge import Bridge
from sparktune.skopt._models import fitted
from sparktune.space.distributions import Array
from sparktune.surrogates._process import Process
from sparktune.surrogates.gp import GP
from sparktune.surrogates.warping import warped

_LEAST = 1e-9
"""The smallest predicted standard deviation, in standard deviations of the losses."""

_EQUAL = 1e-9
"""Relative difference up to which two acquisition values count as equal."""

_MINIMA, _LOOKED_AT = 10, 1000
"""For "MES": the number of draws of the smallest loss, and of points where it is looked for."""


class Guide(Protocol):
    """A model of the losses that ranks points."""

    @property
    def losses(self) -> Array:
        """The losses (n,) that the model was fitted to, in the model's unit."""

    def best_first(self, name: str, rng: np.random.Generator) -> Array:
        """Return rows (m, d) by decreasing value of the acquisition function with this name."""

    def mean(self, X: Array) -> Array:
        """Predict the losses (m,) at rows (m, d), in the model's unit."""

    def after(self, X: Array) -> Guide:
        """Return the model that treats rows (m, d) as pending, too."""


@dataclass(frozen=True, eq=False)
class Task:
    """The data and options of a model.

    Attributes:
        X: rows (n, d) in the order in which their evaluations ended.
        y: losses (n,), infinite where an evaluation failed.
        log_times: logarithms of seconds (n,), for acquisition functions per second.
        lie: the loss assumed for pending rows (constant liar): "cl_min", "cl_mean" or "cl_max", the
            smallest, mean or largest loss so far; None: the loss that the model predicts.
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
        """The rows X, sorted by increasing loss."""
        return self.X[np.argsort(self.y, kind="stable")]

    @property
    def believed(self) -> float:
        """The loss that `lie` assumes; the smallest loss if `lie` is None."""
        how: dict[str | None, Any] = {None: np.min, "cl_min": np.min, "cl_mean": np.mean}
        return float(how.get(self.lie, np.max)(self.y[np.isfinite(self.y)]))

    def named(self, name: str, best: float, unit: float, noise: float = 0.0) -> Any:
        """Return the acquisition function with this name. Losses were multiplied by `unit`, so xi
        is, too.
        """
        return acquisition(name, best, self.options["kappa"], self.options["xi"] * unit, noise)

    def guide(self) -> Guide:
        """Fit the model: `ProcessGuide` for our Gaussian process, else `RegressorGuide`."""
        ours = getattr(self.estimator, "ours", False)
        return ProcessGuide.of(self) if ours else RegressorGuide.of(self, self.X[:0])


# Gaussian processes


@dataclass(frozen=True, eq=False)
class _Timed(Search):
    """A search for improvement per second. The process `time` predicts the logarithm of seconds;
    without it this is a plain search.
    """

    time: Process | None = None

    def prior(self, X: Array) -> Array:
        """Return the logarithm of the expected 1 / seconds, which is added to the acquisition."""
        if self.time is None:
            return super().prior(X)
        mean, sd = self.time.predict(self.embedding.features(X))
        log_rate: Array = 0.5 * sd**2 - mean
        return log_rate

    def _climbed(self, x: Array) -> Array:
        return super()._climbed(x) if self.time is None else x


@dataclass(frozen=True, eq=False)
class ProcessGuide:
    """A Gaussian process of the warped losses, searched as in `samplers.gp`. `best` is the warped
    loss to improve on; warping multiplies differences between small losses by about `unit`. `noise`
    is the noise that "EI" takes into account (`samplers.gp`).
    """

    task: Task
    search: _Timed
    losses: Array
    best: float
    unit: float
    noise: float

    @staticmethod
    def of(task: Task) -> ProcessGuide:
        """Fit the process to the losses of a task."""
        embedding = Embedding.of(task.bridge.columns)
        groups, Z = tuple(embedding.groups.tolist()), embedding.features(task.X)
        process = GP(groups, warp=True, noise=task.estimator.known_noise).fit(Z, task.y)
        time = None if task.log_times is None else GP(groups).fit(Z, task.log_times)
        losses, best = warped(task.y), float(process.fitted.min())
        unit, noise = _slope(task.y, losses), noise_of(process, len(task.bridge.columns))
        first: Any = task.named("EI", best, unit, noise)
        search = _Timed(embedding, process, first, first, task.known, time=time)
        return ProcessGuide(task, search, losses, best, unit, noise)

    def mean(self, X: Array) -> Array:
        """Predict the warped losses (m,) at rows (m, d)."""
        return self.search.process.mean(self.search.embedding.features(X))

    def best_first(self, name: str, rng: np.random.Generator) -> Array:
        """Return rows (m, d) by decreasing acquisition."""
        if name == "PVRS":
            return self._reducing(rng)
        if name == "MES":
            X = self.search.embedding.space.sample(rng, _LOOKED_AT)
            mean, sd = self.search.process.predict(self.search.embedding.features(X))
            wanted: Any = MaxValueEntropy(smallest(mean, sd, _MINIMA, rng))
        else:
            wanted = self.task.named(name, self.best, self.unit, self.noise)
        return replace(self.search, acquisition=wanted).best_first(rng)

    def after(self, X: Array) -> ProcessGuide:
        """Return the guide that treats rows (m, d) as pending, too."""
        process, Z = self.search.process, self.search.embedding.features(X)
        if self.task.lie is None:
            best = float(process.mean(Z).min(initial=self.best))
            process = process.believing(Z)
        else:
            believed = self._warped(self.task.believed)
            best = min(self.best, believed)
            process = process.observing(Z, np.full(len(X), believed))
        first = self.task.named("EI", best, self.unit, self.noise)
        search = replace(self.search, process=process, acquisition=first)
        return replace(self, search=search, best=best)

    def _warped(self, loss: float) -> float:
        """Warp a loss, by interpolation between the losses of the task."""
        finite = np.flatnonzero(np.isfinite(self.task.y))
        order = finite[np.argsort(self.task.y[finite], kind="stable")]
        return float(np.interp(loss, self.task.y[order], self.losses[order]))

    def _reducing(self, rng: np.random.Generator) -> Array:
        """Return rows (m, d) by how much an evaluation there reduces the variance at the minima of
        posterior draws, the largest reduction first (Nguyen et al. 2017, predictive variance
        reduction search).
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
    """Return the slope of the warping y -> w of losses (n,) between the smallest and the median
    loss.
    """
    order = np.argsort(y, kind="stable")
    low, high = order[0], order[max(int(np.isfinite(y).sum()) // 2 - 1, 1) if len(y) > 1 else 0]
    gap = y[high] - y[low]
    return float((w[high] - w[low]) / gap) if np.isfinite(gap) and gap > 0 else 1.0


# Other regressors


@dataclass(frozen=True, eq=False)
class RegressorGuide:
    """A regressor of the losses of the task and of the losses assumed for the `pending` rows. The
    standard deviation of the losses is `unit`.

    Trees predict equal values at many points. Among points with equal acquisition, the point with
    the fewest evaluated and pending points around it comes first.
    """

    task: Task
    pending: Array
    losses: Array
    model: Any
    unit: float
    _known: dict[bytes, tuple[Array, Array]] = field(default_factory=dict)

    @staticmethod
    def of(task: Task, pending: Array) -> RegressorGuide:
        """Fit the regressor to the losses of a task and the losses assumed for pending rows."""
        losses = np.append(task.y, np.full(len(pending), task.believed))
        targets = losses
        if task.log_times is not None:
            times = np.full(len(pending), np.median(task.log_times))
            targets = np.column_stack([losses, np.append(task.log_times, times)])
        Z = task.bridge.numbers(np.vstack([task.X, pending]))
        unit = float(np.std(losses[np.isfinite(losses)])) or 1.0
        return RegressorGuide(task, pending, losses, fitted(task.estimator, Z, targets), unit)

    def mean(self, X: Array) -> Array:
        """Predict the losses (m,) at rows (m, d), in standard deviations of the losses."""
        losses: Array = self._loss_model.predict(self.task.bridge.numbers(X)) / self.unit
        return losses

    def best_first(self, name: str, rng: np.random.Generator) -> Array:
        """Return rows (m, d) by decreasing acquisition."""
        embedding = Embedding.of(self.task.bridge.columns)
        pool, scores = looked_up(embedding, self._scores(name, rng), self.task.known, rng)
        level = scores >= scores[0] - _EQUAL * (1 + abs(scores[0]))
        others = np.vstack([self.task.X, self.pending])
        crowd = crowding(embedding.layout, pool[level], others)
        pool[level] = pool[level][np.argsort(crowd, kind="stable")]
        return pool

    def after(self, X: Array) -> RegressorGuide:
        """Return the guide that treats rows (m, d) as pending, too."""
        return RegressorGuide.of(self.task, np.vstack([self.pending, X]))

    @property
    def _loss_model(self) -> Any:
        """The fitted model of the losses, without the model of seconds."""
        return self.model if self.task.log_times is None else self.model.estimators_[0]

    def _scores(self, name: str, rng: np.random.Generator) -> Callable[[Array], Array]:
        """Return the acquisition function with this name as a function of rows."""
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
        """Predict mean and standard deviation (m,) at rows (m, d). Predictions are cached, because
        several acquisition functions look at the same rows.
        """
        key = X.tobytes()
        if key not in self._known:
            mean, sd = self._loss_model.predict(self.task.bridge.numbers(X), return_std=True)
            self._known[key] = mean, np.maximum(sd, _LEAST * self.unit)
        return self._known[key]
