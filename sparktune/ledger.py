"""The trials of a study: their records, the columns for algorithms, and the waiting and running
trials.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from sparktune.arguments import is_whole
from sparktune.clocks import RunClock
from sparktune.errors import InvalidArgument
from sparktune.events import Asked, Begun, Enqueued, Event, Told, apply
from sparktune.history import History
from sparktune.space.space import Space
from sparktune.trial import Scalar, Status, Trial


class Ledger:
    """The records of a study, and the state that follows from them. It only changes by `apply`.

    Args:
        space: the search space of the trials.
        records: {id: Trial}, which is kept up to date.
        clock: the clock of the run.

    Attributes:
        history: the columns, with a row for each record.
        running: ids of the trials that were handed out and have not ended.
        waiting: ids of the trials to hand out before new ones are suggested, in this order.
        next_id: the smallest integer above the ids of all records.
    """

    def __init__(self, space: Space, records: MutableMapping[int, Trial], clock: RunClock) -> None:
        self.records = records
        self.history = History(len(space))
        self.running: set[int] = set()
        self.next_id = 0
        self._space = space
        self._clock = clock
        self._ids: list[int] = []  # by row
        for trial in list(records.values()):
            self._enter(trial)
        self.waiting = self._pending()

    def apply(self, event: Event) -> None:
        """Update records, history and queue with an event.

        Raises:
            InvalidArgument: the trial is not a point of the space.
        """
        apply(self.records, event)
        match event:
            case Begun(_, limit) if limit:
                self.running.clear()
                self.waiting = self._pending()
            case Enqueued(trial):
                self._enter(trial)
                self.waiting.append(trial.id)
            case Asked(trial):
                self._enter(trial)
                self._leave_queue(trial.id)
                self.running.add(trial.id)
            case Told(trial):
                finished = self._clock.finished(trial)
                same = finished == trial.finished
                self._enter(trial if same else replace(trial, finished=finished))
                self._leave_queue(trial.id)
                self.running.discard(trial.id)

    def _enter(self, trial: Trial) -> None:
        if isinstance(trial.id, int):  # documents of Hyperopt may have other ids
            self.next_id = max(self.next_id, trial.id + 1)
        row = self.history.row_of.get(trial.id)
        if row is not None:
            self.history.update(row, trial)
            return
        try:
            values = self._space.encode(trial.values)
        except InvalidArgument as error:
            raise not_of_this_space(trial, error) from error
        self.history.append(trial, values)
        self._ids.append(trial.id)

    def _leave_queue(self, id: int) -> None:
        if id in self.waiting:
            self.waiting.remove(id)

    def _pending(self) -> list[int]:
        return [id for id, trial in self.records.items() if trial.status.pending]

    def at(self, row: int) -> Trial:
        """The record of a row of the history."""
        return self.records[self._ids[row]]

    @property
    def cancelled(self) -> int:
        """The number of configurations whose first evaluation was cancelled."""
        return sum(
            trial.status is Status.CANCELLED and trial.parent is None
            for trial in self.records.values()
        )

    def known(self, trial: Trial | int) -> Trial:
        """The record of a trial or of an id.

        Raises:
            InvalidArgument: there is no such record.
        """
        id: Any = trial.id if isinstance(trial, Trial) else trial
        known = self.records.get(id) if isinstance(id, str) or is_whole(id) else None
        if known is None or (isinstance(trial, Trial) and trial.values != known.values):
            raise InvalidArgument(
                f"there is no trial {trial!r} in this study, which has {len(self.records)} trials; "
                "give a trial from ask() or enqueue(), its id, or a point {label: value}"
            )
        return known

    def open(self, trial: Trial | int) -> Trial:
        """The record of a pending trial.

        Raises:
            InvalidArgument: there is no such record, or the trial has ended.
        """
        known = self.known(trial)
        if not known.status.pending:
            raise InvalidArgument(
                f"trial {known.id} has ended already ({known.status.value}); tell() accepts one "
                "result for each trial"
            )
        return known

    def open_at(self, values: Mapping[str, Scalar]) -> Trial | None:
        """The first pending trial with these values; None if there is none."""
        pending = [*self.running, *self.waiting]
        same = [id for id in pending if dict(self.records[id].values) == values]
        return self.records[min(same, key=self.history.row_of.__getitem__)] if same else None


def not_of_this_space(trial: Trial, error: InvalidArgument) -> InvalidArgument:
    """The error for a trial that is not a point of the space; `error` is the reason."""
    return InvalidArgument(
        f"trial {trial.id} is not a point of this space: {error}. Continue with the space of the "
        "trials, or start with new trials"
    )
