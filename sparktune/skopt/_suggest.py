"""The sampler behind `Optimizer` and the minimizers. It returns the initial points first, and then
the points that maximise the user's acquisition function (`_guides`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.history import CODES, View
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._search import OTHERS
from sparktune.samplers._seen import Seen
from sparktune.samplers._threads import single_threaded
from sparktune.skopt._acquire import HEDGED
from sparktune.skopt._bridge import Bridge
from sparktune.skopt._guides import Guide, Task
from sparktune.skopt._hedge import Portfolio
from sparktune.space.distributions import Array
from sparktune.space.space import Space as Columns
from sparktune.trial import Status

_WAITING = 256
"""The largest number of pending points that the model takes into account: the newest ones."""

_DRAWN = 16
"""Random points drawn for one initial point; the first new one is used."""

_NEAR = 1e-4
"""Distance from a pending point, as a share of each range, below which no point is suggested."""


@dataclass(eq=False)
class Suggestions:
    """The sampler of `Optimizer`.

    Attributes:
        bridge: converts points to rows and back.
        estimator: a regressor; None: all points are random.
        acq_func: the name of the acquisition function.
        options: kappa, xi, eta and n_thompson of the acquisition functions.
        n_initial: number of evaluations that must end before the model is used.
        design: initial points, in this order; random points follow.
        avoid_duplicates: whether a point that was evaluated before is replaced by a new one.
        seconds: {row: duration in seconds}, for acquisition functions per second.
        lie: the loss assumed for pending points, as in `Task`.
        portfolio: the gains of "gp_hedge".
    """

    bridge: Bridge
    estimator: Any
    acq_func: str
    options: dict[str, Any]
    n_initial: int
    design: list[Any]
    avoid_duplicates: bool
    seconds: dict[int, float] = field(default_factory=dict)
    lie: str | None = None
    portfolio: Portfolio = field(default_factory=Portfolio.empty)

    @property
    def learns(self) -> bool:
        """Whether there is a model."""
        return self.estimator is not None

    def suggest(self, space: Columns, history: View, n: int, rng: np.random.Generator) -> Array:
        """Return n rows (n, d). Points whose evaluation was cancelled come first."""
        seen = Allowed(self, history)
        rows = seen.cancelled()[:n]
        with single_threaded():
            if self.modelled(history):
                rows += self._modelled(history, n - len(rows), seen, rng)
            for place in range(seen.count + len(rows), seen.count + n):
                rows.append(self._initial(place, seen, rng, warn=self.modelled(history)))
        return np.array(rows).reshape(-1, len(space))

    def modelled(self, history: View) -> bool:
        """Whether the model, rather than the initial design, suggests the next point."""
        ended = len(_ended(history))
        return self.estimator is not None and ended >= self.n_initial and bool(history.ok.any())

    def _initial(self, place: int, seen: Allowed, rng: np.random.Generator, warn: bool) -> Array:
        """Return the initial point with this index, or a random point if there is none."""
        drawn = self.random(_DRAWN if self.avoid_duplicates else 1, rng)
        if not warn and place < len(self.design):
            drawn = np.vstack([self.bridge.row(self.design[place]), drawn])
        row = seen.first_new(drawn) if self.avoid_duplicates else drawn[0]
        if row is None:
            row = drawn[0]
            if warn:
                point = self.bridge.of_row(row)
                warnings.warn(
                    f"The objective has been evaluated at all points; using {point} again",
                    stacklevel=2,
                )
        return row

    def random(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n rows (n, d) from the priors, all of which satisfy the constraint."""
        points = self.bridge.space.rvs(n, random_state=rng)
        return np.array([self.bridge.row(point) for point in points])

    def catch_up(self, history: View) -> None:
        """Update the gains of "gp_hedge" with a history, with one suggestion for each trial."""
        if self.acq_func != "gp_hedge" or not self.modelled(history):
            return
        ended = _ended(history)
        with single_threaded():
            for size in range(max(self.n_initial, self.portfolio.size + 1), len(ended)):
                if history.ok[ended[:size]].any():
                    guide = self._guide(history, ended[:size])
                    self.portfolio = self.portfolio.after(guide, size)

    def _modelled(
        self, history: View, n: int, seen: Allowed, rng: np.random.Generator
    ) -> list[Array]:
        """Return up to n rows that the model suggests; fewer if no new points are left."""
        ended = _ended(history)
        guide = self._guide(history, ended)
        pending = history.X[history.pending][-_WAITING:]
        if len(pending):
            guide = guide.after(pending)
        found: list[Array] = []
        portfolio = self.portfolio
        while len(found) < n:
            if found:
                guide = guide.after(found[-1][None])
            name, rows = self.acq_func, np.empty((0, 0))
            if name == "gp_hedge":
                portfolio = portfolio.after(guide, len(ended) + len(found))
                self.portfolio = self.portfolio if found else portfolio
                i = portfolio.chosen(self.options["eta"], rng)
                name, rows = HEDGED[i], portfolio.tops[i : i + 1]
            row = seen.first_new(rows)
            if row is None:
                row = seen.first_new(guide.best_first(name, rng))
            if row is None:
                row = _last_resort(guide, seen, rng)
            if row is None:
                break
            found.append(row)
        return found

    def _guide(self, history: View, ended: NDArray[np.intp]) -> Guide:
        """Fit the model to these rows of a history."""
        y = np.where(history.ok, history.loss, np.inf)[ended]
        log_times = None
        if self.acq_func.endswith("ps"):
            seconds = np.array([self.seconds.get(int(i), 1.0) for i in ended])
            log_times = np.log(np.maximum(seconds, 1e-12))
        task = Task(
            self.bridge, self.estimator, self.options, history.X[ended], y, log_times, self.lie
        )
        return task.guide()


class Allowed(Seen):
    """A filter for suggestions. It rejects points that were evaluated before, that violate the
    constraint, or that are too near to pending points.
    """

    def __init__(self, sampler: Suggestions, history: View) -> None:
        columns = sampler.bridge.columns
        cancelled = history.status == CODES[Status.CANCELLED]
        super().__init__(columns, history.X[~cancelled])
        self.count = len(history) - int(cancelled.sum())
        self._cancelled = history.X[cancelled]
        self._sampler = sampler
        self._embedding = Embedding.of(columns)
        self._running = history.X[history.pending][-_WAITING:]

    def cancelled(self) -> list[Array]:
        """Return the points whose evaluation was cancelled and not started again."""
        known = {row.tobytes() for row in self._X}
        return [row for row in np.unique(self._cancelled, axis=0) if row.tobytes() not in known]

    def first_new(self, rows: Array) -> Array | None:
        """Return the first row that is new, and remember it as pending; None if no row is new."""
        row = super().first_new(rows)
        if row is not None:
            self._running = np.vstack([self._running, row])
        return row

    def _crowded(self, row: Array) -> bool:
        """Whether a row nearly equals a pending row."""
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


def _ended(history: View) -> NDArray[np.intp]:
    """Return the indices of the rows that ended, in the order in which they were handed out: with
    `deterministic=True` suggestions must not depend on which trial ends first.
    """
    return np.flatnonzero(~history.pending & (history.status != CODES[Status.CANCELLED]))


def _last_resort(guide: Guide, seen: Seen, rng: np.random.Generator) -> Array | None:
    """Return the new point with the smallest predicted loss among random ones, or among all points
    of a finite space; None if no new point is left.
    """
    others = seen.others(OTHERS, rng)
    if not len(others):
        return None
    return seen.first_new(others[np.argsort(guide.mean(others), kind="stable")])
