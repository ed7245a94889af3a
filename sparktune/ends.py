"""The ends of trials in order, which grow with the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ends:
    """The m ended trials, without cancelled ones, in the order of their ends.

    row        (m,)  row in the history
    finished   (m,)  seconds since the epoch; -inf where unknown
    loss       (m,)  inf where there is no usable loss
    """

    row: NDArray[np.int64]
    finished: NDArray[np.float64]
    loss: NDArray[np.float64]


class EndsInOrder:
    """Growing columns of `Ends`: an end that is the last one is added in constant time."""

    def __init__(self) -> None:
        self._n = 0
        self._columns: dict[str, NDArray[Any]] = {
            "row": np.empty(64, dtype=np.int64),
            "finished": np.empty(64),
            "loss": np.empty(64),
        }
        self._current: Ends | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_current": None}  # it has parts of the columns

    def insert(self, row: int, finished: float | None, loss: float) -> None:
        """Insert an end by its time, after those of the same time."""
        m = self._n
        if m == len(self._columns["row"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.empty_like(column)])
        time = -np.inf if finished is None or finished != finished else finished
        place = int(self._columns["finished"][:m].searchsorted(time, side="right"))
        for column, value in zip(self._columns.values(), (row, time, loss), strict=True):
            if place < m:
                column[place + 1 : m + 1] = column[place:m]
            column[place] = value
        self._n += 1
        self._current = None

    def remove(self, row: int) -> None:
        """Remove the end of a row, if it has one."""
        m = self._n
        for place in np.flatnonzero(self._columns["row"][:m] == row):
            for column in self._columns.values():
                column[place : m - 1] = column[place + 1 : m]
            self._n -= 1
            self._current = None

    @property
    def current(self) -> Ends:
        """All ends, valid until the next change."""
        if self._current is None:
            self._current = Ends(**{k: column[: self._n] for k, column in self._columns.items()})
        return self._current
