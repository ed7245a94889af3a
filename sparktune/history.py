"""The columnar history that algorithms read: one row per trial, pending ones included, in the order
of their ids.

Rows are appended in amortised O(d) and updated in place; nothing is rebuilt. Algorithms see a
`View`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.trial import Status, Trial

STATUSES = tuple(Status)
CODES = {status: code for code, status in enumerate(STATUSES)}
_PENDING = np.array([status.pending for status in STATUSES])


@dataclass(frozen=True, slots=True)
class View:
    """A read-only view of n trials over d parameters, taken at time `now` (seconds since the
    epoch).

    X          (n, d)  rows of the space, NaN where inactive
    loss       (n,)    NaN where there is none
    status     (n,)    index into `STATUSES`
    budget     (n,)    share of a full evaluation
    started    (n,)    seconds since the epoch: when the trial was handed out
    finished   (n,)    seconds since the epoch, NaN while pending
    begun      when this run began, seconds since the epoch
    """

    X: NDArray[np.float64]
    loss: NDArray[np.float64]
    status: NDArray[np.int8]
    budget: NDArray[np.float64]
    started: NDArray[np.float64]
    finished: NDArray[np.float64]
    now: float = 0.0
    begun: float = 0.0

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def pending(self) -> NDArray[np.bool_]:
        """Mask of the trials without an end."""
        mask: NDArray[np.bool_] = _PENDING[self.status]
        return mask

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Mask of the trials with a usable loss."""
        mask: NDArray[np.bool_] = self.status == CODES[Status.OK]
        return mask

    def until(self, n: int) -> View:
        """This view as it would be if only the first n trials could have ended."""
        later = np.arange(len(self)) >= n
        return replace(
            self,
            loss=np.where(later, np.nan, self.loss),
            status=np.where(later, CODES[Status.RUNNING], self.status).astype(np.int8),
            finished=np.where(later, np.nan, self.finished),
        )

    @property
    def best(self) -> float:
        """The smallest usable loss; infinite if there is none."""
        return float(np.min(self.loss[self.ok], initial=np.inf))


class History:
    """Growable columns; row i belongs to the i-th trial appended."""

    def __init__(self, width: int) -> None:
        self._n = 0
        self._columns: dict[str, NDArray[Any]] = {
            "X": np.empty((64, width)),
            "loss": np.empty(64),
            "status": np.empty(64, dtype=np.int8),
            "budget": np.empty(64),
            "started": np.empty(64),
            "finished": np.empty(64),
        }

    def __len__(self) -> int:
        return self._n

    def append(self, trial: Trial, row: NDArray[np.float64]) -> int:
        """Add a trial and return the index of its row."""
        if self._n == len(self._columns["loss"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.empty_like(column)])
        self._n += 1
        self._columns["X"][self._n - 1] = row
        self.update(self._n - 1, trial)
        return self._n - 1

    def update(self, i: int, trial: Trial) -> None:
        """Bring row i up to date with its trial."""
        columns = self._columns
        columns["loss"][i] = np.nan if trial.loss is None else trial.loss
        columns["status"][i] = CODES[trial.status]
        columns["budget"][i] = trial.budget
        columns["started"][i] = np.nan if trial.asked is None else trial.asked
        columns["finished"][i] = np.nan if trial.finished is None else trial.finished

    def replace(self, i: int, trial: Trial, row: NDArray[np.float64]) -> None:
        """Put another trial in place of row i."""
        self._columns["X"][i] = row
        self.update(i, trial)

    def view(self, now: float = 0.0, begun: float = 0.0) -> View:
        """The rows so far, read-only; for use until the history changes."""
        columns = {}
        for name, column in self._columns.items():
            columns[name] = column[: self._n]
            columns[name].flags.writeable = False
        return View(**columns, now=now, begun=begun)
