"""The columnar history that algorithms read: one row per trial, including pending ones, in the
order in which the trials were added.

Rows are appended in amortised O(d) and updated in place, without rebuilding columns. Algorithms get
a `View`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.ends import Ends, EndsInOrder
from sparktune.told_noise import variance_of
from sparktune.trial import Status, Trial

STATUSES = tuple(Status)
CODES = {status: code for code, status in enumerate(STATUSES)}
_NEW, _RUNNING = CODES[Status.NEW], CODES[Status.RUNNING]


@dataclass(frozen=True, slots=True)
class View:
    """A read-only view of n trials over d parameters, taken at time `now` (seconds since the
    epoch).

    X          (n, d)  rows of the space, NaN where inactive
    loss       (n,)    NaN where there is none
    variance   (n,)    variance of the noise of the loss; NaN where the result does not give it
    status     (n,)    index into `STATUSES`
    budget     (n,)    in the scheduler's units
    spent      (n,)    the part of the budget that this evaluation used: less than `budget` if it
                       continued from the state of an earlier evaluation
    parent     (n,)    row of the same configuration at the next smaller budget, -1 for none
    root       (n,)    row of the first evaluation of the configuration
    explore    (n,)    whether the scheduler asked for a point from the priors
    asked      (n,)    time at which the trial was handed out, in seconds since the epoch
    started    (n,)    time at which it began to run, in seconds since the epoch; NaN until it has
                       ended, and where unknown
    finished   (n,)    time at which it ended, in seconds since the epoch; NaN while pending
    begun      time at which this run began, in seconds since the epoch
    exhausted  whether no new points are possible: the sampler has none, or the run is at its limit
    full       the budget of a full evaluation
    repeatable whether rows are evaluations, so that evaluating a point again tells the noise; False
               for the view of a scheduler that sums up several of them
    """

    X: NDArray[np.float64]
    loss: NDArray[np.float64]
    status: NDArray[np.int8]
    budget: NDArray[np.float64]
    spent: NDArray[np.float64]
    asked: NDArray[np.float64]
    started: NDArray[np.float64]
    finished: NDArray[np.float64]
    parent: NDArray[np.intp]
    root: NDArray[np.intp]
    explore: NDArray[np.bool_]
    variance: NDArray[np.float64]
    now: float = 0.0
    begun: float = 0.0
    exhausted: bool = False
    full: float = 1.0
    repeatable: bool = True
    known_ends: tuple[Ends, tuple[Any, ...]] | None = field(default=None, compare=False, repr=False)
    """(ends, columns from which they were computed): a cache."""

    @staticmethod
    def of(
        trials: Iterable[Trial], X: NDArray[np.float64], now: float = 0.0, begun: float = 0.0
    ) -> View:
        """A view of n trials with the rows X (n, d)."""
        history = History(X.shape[1])
        for trial, row in zip(trials, X, strict=True):
            history.append(trial, row)
        return history.view(now, begun)

    def with_pending(self, X: NDArray[np.float64]) -> View:
        """This view, followed by m waiting trials with the rows X (m, d)."""
        missing = np.full(len(X), np.nan)
        return replace(
            self,
            X=np.vstack([self.X, X]),
            loss=np.append(self.loss, missing),
            status=np.append(self.status, np.full(len(X), _NEW, dtype=np.int8)),
            budget=np.append(self.budget, np.ones(len(X))),
            spent=np.append(self.spent, np.ones(len(X))),
            asked=np.append(self.asked, missing),
            started=np.append(self.started, missing),
            finished=np.append(self.finished, missing),
            variance=np.append(self.variance, missing),
            parent=np.append(self.parent, np.full(len(X), -1)),
            root=np.append(self.root, np.arange(len(self), len(self) + len(X))),
            explore=np.append(self.explore, np.zeros(len(X), dtype=bool)),
        )

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def ends(self) -> Ends:
        """The ends of trials in order, where a loss that is not comparable is infinite."""
        ends = self._ends
        if (self.budget == self.budget[:1]).all():
            return ends
        return replace(ends, loss=np.where(self.comparable[ends.row], ends.loss, np.inf))

    @property
    def _ends(self) -> Ends:
        if self.known_ends is not None:
            ends, columns = self.known_ends
            if (
                columns[0] is self.loss
                and columns[1] is self.status
                and columns[2] is self.finished
            ):
                return ends
        ended = np.flatnonzero(~self.pending & (self.status != CODES[Status.CANCELLED]))
        finished = np.nan_to_num(self.finished[ended], nan=-np.inf, posinf=np.inf, neginf=-np.inf)
        order = np.argsort(finished, kind="stable")
        row = ended[order]
        return Ends(row, finished[order], np.where(self.ok[row], self.loss[row], np.inf))

    @property
    def pending(self) -> NDArray[np.bool_]:
        """Mask of the trials that wait or run."""
        mask: NDArray[np.bool_] = (self.status == _NEW) | (self.status == _RUNNING)
        return mask

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Mask of the trials with a usable loss."""
        mask: NDArray[np.bool_] = self.status == CODES[Status.OK]
        return mask

    @property
    def comparable(self) -> NDArray[np.bool_]:
        """Mask of the trials whose losses can be compared, see `comparable`."""
        return comparable(self.ok, self.budget, self.explored)

    @property
    def explored(self) -> NDArray[np.bool_]:
        """Mask of the trials of configurations that the scheduler asked for from the priors."""
        return self.explore[self.root]

    def until(self, n: int) -> View:
        """This view with all trials after the first n as running."""
        if (self.status[n:] == _RUNNING).all():
            return self
        loss, status, finished = self.loss.copy(), self.status.copy(), self.finished.copy()
        loss[n:], status[n:], finished[n:] = np.nan, _RUNNING, np.nan
        return replace(self, loss=loss, status=status, finished=finished)

    @property
    def best(self) -> float:
        """The smallest comparable loss; infinite if there is none."""
        return float(np.min(self.ends.loss, initial=np.inf))


def comparable(
    usable: NDArray[np.bool_], budget: NDArray[np.float64], explored: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n,) mask of the trials whose losses can be compared: those with a usable loss at the largest
    budget at which any trial has one. Explored configurations got their budgets whatever their
    losses were. So one that is alone at a budget does not count, unless there are no others.

    Args:
        usable: (n,) whether the trial has a usable loss.
        budget: (n,) in the scheduler's units.
        explored: (n,) whether the scheduler asked for the configuration from the priors.
    """
    own = usable & ~explored
    largest = budget[own if own.any() else usable].max(initial=-np.inf)
    mask: NDArray[np.bool_] = usable & (budget == largest)
    return mask


class History:
    """Growing columns, of which row i belongs to the i-th trial appended.

    Attributes:
        row_of: {trial id: row}.
        configurations: the number of distinct configurations.
    """

    def __init__(self, width: int) -> None:
        self._n = 0
        self._columns: dict[str, NDArray[Any]] = {
            "X": np.empty((64, width)),
            "loss": np.empty(64),
            "status": np.empty(64, dtype=np.int8),
            "budget": np.empty(64),
            "spent": np.empty(64),
            "asked": np.empty(64),
            "started": np.empty(64),
            "finished": np.empty(64),
            "parent": np.empty(64, dtype=np.intp),
            "root": np.empty(64, dtype=np.intp),
            "explore": np.empty(64, dtype=np.bool_),
            "variance": np.empty(64),
        }
        self.row_of: dict[Any, int] = {}
        self.configurations = 0
        self._with_state: set[int] = set()  # rows
        self._rows: dict[str, NDArray[Any]] = {}  # columns of the current views; empty if outdated
        self._ends = EndsInOrder()

    def __len__(self) -> int:
        return self._n

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_rows": {}}  # these are parts of the columns

    def append(self, trial: Trial, row: NDArray[np.float64]) -> int:
        """Add a trial and return the index of its row."""
        if self._n == len(self._columns["loss"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.empty_like(column)])
        self._n += 1
        self._rows = {}
        self._columns["X"][self._n - 1] = row
        self._columns["status"][self._n - 1] = _NEW
        self._place(self._n - 1, trial)
        self.update(self._n - 1, trial)
        return self._n - 1

    def _place(self, i: int, trial: Trial) -> None:
        """Link row i to the earlier evaluations of its configuration."""
        parent = -1 if trial.parent is None else self.row_of.get(trial.parent, -1)
        self.configurations += parent < 0
        self.row_of[trial.id] = i
        columns = self._columns
        columns["parent"][i] = parent
        columns["root"][i] = i if parent < 0 else columns["root"][parent]
        columns["explore"][i] = trial.explore

    def update(self, i: int, trial: Trial) -> None:
        """Update row i from its trial."""
        columns = self._columns
        if columns["status"].item(i) not in (_NEW, _RUNNING):
            self._ends.remove(i)
        columns["status"][i] = CODES[trial.status]
        columns["budget"][i] = trial.budget
        parent = columns["parent"].item(i)
        goes_on = parent in self._with_state and not trial.anew
        columns["spent"][i] = trial.budget - (columns["budget"].item(parent) if goes_on else 0.0)
        if trial.state is not None:
            self._with_state.add(i)
        for name in ("loss", "asked", "started", "finished"):
            value = getattr(trial, name)
            columns[name][i] = np.nan if value is None else value
        told = variance_of(trial.result, trial.loss)
        columns["variance"][i] = np.nan if told is None else told[0]
        if not trial.status.pending and trial.status is not Status.CANCELLED:
            loss = trial.loss if trial.status is Status.OK else None
            self._ends.insert(i, trial.finished, np.inf if loss is None else loss)

    def replace(self, i: int, trial: Trial, row: NDArray[np.float64]) -> None:
        """Replace row i by another trial."""
        self._columns["X"][i] = row
        self.update(i, trial)

    def view(
        self, now: float = 0.0, begun: float = 0.0, exhausted: bool = False, full: float = 1.0
    ) -> View:
        """A read-only view of the current rows, which is valid until the history changes."""
        if not self._rows:
            self._rows = {name: column[: self._n] for name, column in self._columns.items()}
            for column in self._rows.values():
                column.flags.writeable = False
        rows = self._rows
        known_ends = self._ends.current, (rows["loss"], rows["status"], rows["finished"])
        return View(
            **rows, now=now, begun=begun, exhausted=exhausted, full=full, repeatable=True,
            known_ends=known_ends,
        )  # fmt: skip
