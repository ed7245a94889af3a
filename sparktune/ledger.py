"""The trials of a study: their records, the columns that algorithms read, and which wait or run."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import replace

from sparktune.clocks import RunClock
from sparktune.errors import InvalidArgument
from sparktune.history import History
from sparktune.space.space import Space
from sparktune.trial import Asked, Begun, Enqueued, Event, Scalar, Status, Told, Trial, apply


class Ledger:
    """Records and what follows from them. Applying an event is the only way in which it changes.

    Args:
        space: of the trials.
        records: by id; kept up to date.
        clock: tells when a trial ended by the time of the run.

    Attributes:
        history: a row for each record.
        running: ids of the trials that were handed out and have not ended.
        waiting: ids of the trials to hand out before others are suggested, in this order.
        next_id: the smallest id above those of all records.
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
        """Bring records, history and queue up to date.

        Raises:
            InvalidArgument: the space cannot have given this trial.
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
        """The record of a trial.

        Raises:
            InvalidArgument: there is none.
        """
        id = trial.id if isinstance(trial, Trial) else trial
        known = self.records.get(id) if isinstance(id, (int, str)) else None
        if known is None or (isinstance(trial, Trial) and trial.values != known.values):
            raise InvalidArgument(
                f"there is no trial {trial!r} in this study, which has {len(self.records)} trials; "
                "give one that ask() or enqueue() returned, its id, or a point {label: value}"
            )
        return known

    def open(self, trial: Trial | int) -> Trial:
        """The record of a trial that has not ended.

        Raises:
            InvalidArgument: there is none, or it has ended.
        """
        known = self.known(trial)
        if not known.status.pending:
            raise InvalidArgument(
                f"trial {known.id} has ended already ({known.status.value}); a trial is told once"
            )
        return known

    def open_at(self, values: Mapping[str, Scalar]) -> Trial | None:
        """The first trial with these values that has not ended."""
        pending = [*self.running, *self.waiting]
        same = [id for id in pending if dict(self.records[id].values) == values]
        return self.records[min(same, key=self.history.row_of.__getitem__)] if same else None


def not_of_this_space(trial: Trial, error: InvalidArgument) -> InvalidArgument:
    """What is raised for a trial that a space refuses by `error`."""
    return InvalidArgument(
        f"trials holds trial {trial.id}, which this space cannot have given: {error}. "
        "Continue with the space it was made for, or start with new trials"
    )
