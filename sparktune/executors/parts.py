"""Trials in parts, such as the folds of a cross-validation, on any executor.

A trial becomes n calls of another executor. What is free there is always filled: parts that find no
slot wait in a backlog, and one more trial is taken as soon as the parts of those inside cannot fill
all slots.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, TypeAlias

from sparktune import worker
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status, Trial

Merge: TypeAlias = Callable[[Sequence[Outcome]], Any]
"""Takes the outcomes of all parts in their order, each of which returned, and gives what an
objective returns: a loss, or a dict.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Trial):
    """A part of a trial, which the inner executor evaluates under an id of its own. `number` starts
    at 0.
    """

    whole: Trial
    number: int


def part_of(trial: Trial, number: int, id: int) -> Part:
    """Part `number` of a trial."""
    known = {each.name: getattr(trial, each.name) for each in fields(Trial)}
    return Part(**known | {"id": id}, whole=trial, number=number)


@dataclass(frozen=True, slots=True)
class PartTask(Task):
    """A task whose trials are parts."""

    def describe(self, trial: Trial, *others: Trial) -> str:
        """One line that names the study and the part of a trial with its parameters, or the trials
        of several parts.
        """
        assert isinstance(trial, Part)
        if others:
            wholes = {part.whole.id: part.whole for part in (trial, *others)}  # type: ignore[attr-defined]
            named = Task(self.objective, self.configure, f"parts of {self.name}")
            return named.describe(*wholes.values())
        named = Task(self.objective, self.configure, f"part {trial.number} of {self.name}")
        return named.describe(trial.whole)


def in_parts(task: Task) -> Task:
    """The task of the parts of this task's trials: the objective is called with the configuration
    of the trial and `part`, the number of the part.
    """

    def configure(trial: Trial) -> tuple[Any, int]:
        assert isinstance(trial, Part)
        return task.configure(trial.whole), trial.number

    return PartTask(partial(worker.with_part, task.objective), configure, task.name, task.heavy)


def mean(parts: Sequence[Outcome]) -> Mapping[str, Any]:
    """A result with the mean loss, and the losses as `losses`; a failure if a part failed."""
    if any(part.status is not Status.OK for part in parts):
        return {"status": "fail", "losses": [part.loss for part in parts]}
    losses = [float(part.loss or 0.0) for part in parts]
    return {"status": "ok", "loss": math.fsum(losses) / len(losses), "losses": losses}


@dataclass(slots=True)
class _Whole:
    """A trial inside the executor: the outcomes of its parts, and the reason if it ended early."""

    trial: Trial
    missing: set[int]
    ended: dict[int, Outcome] = field(default_factory=dict)
    end: Outcome | None = None


class Parts:
    """Evaluates trials as n calls of another executor each; a trial ends when all of them have.

    A part that does not return (it raises, crashes, runs out of time or is cancelled) ends its
    trial: the others are cancelled, and its outcome is the trial's.

    Args:
        inner: what evaluates the parts, by a task such as `in_parts` gives; closed with this one.
        n: parts of a trial.
        merge: makes one result of those of the parts.
        clock: seconds that only ever grow.
    """

    def __init__(
        self, inner: Executor, n: int, merge: Merge, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._n = n
        self._merge = merge
        self._clock = clock
        self._wholes: dict[Any, _Whole] = {}
        self._backlog: deque[Part] = deque()
        self._calls: dict[int, Part] = {}  # what is inside the inner executor
        self._next_id = 0
        self._ended: dict[Any, Outcome] = {}
        self._given: dict[Any, Outcome] = {}  # what `collect` gave out last
        self._closed = False

    @property
    def slots(self) -> int:
        """How many trials may be inside now: as many as are needed to fill the inner executor."""
        free = self._inner.slots - len(self._calls) - len(self._backlog)
        return len(self._wholes) + max(math.ceil(free / self._n), 0)

    @property
    def running(self) -> int:
        """How many of the trials inside have a part that runs."""
        begun = {part.whole.id for part in self._calls.values()}
        return min(len(begun), self._inner.running)

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """Tell the inner executor how many parts will come."""
        self._inner.expect(None if trials is None else trials * self._n, ahead * self._n)

    def submit(self, trial: Trial) -> None:
        """Take a trial, and submit as many parts as there is room for."""
        self._wholes[trial.id] = _Whole(trial, set(range(self._n)))
        for number in range(self._n):
            self._backlog.append(part_of(trial, number, self._next_id))
            self._next_id += 1
        self._hand_on()

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Wait for ended trials, at most `timeout` seconds; return early if slots have come.

        After `close` it repeats the last outcomes, which an interrupt may have lost, and gives
        those of everything that was inside.
        """
        if self._closed:
            return [*self._given.values()]
        self._given = {}
        slots = self.slots
        end = math.inf if timeout is None else self._clock() + timeout
        self._hand_on()
        while self._wholes and not self._ended:
            left = end - self._clock()
            self._take(self._inner.collect(None if end == math.inf else max(left, 0.0)))
            self._hand_on()
            if left <= 0 or self.slots > slots:
                break
        self._given, self._ended = self._ended, {}
        return [*self._given.values()]

    def cancel(self, ids: Iterable[int]) -> None:
        """Cancel the parts of these trials."""
        for id in ids:
            if id in self._wholes:
                self._end(self._wholes[id], Outcome(id, Status.CANCELLED))

    def close(self) -> None:
        """Cancel every part and close the inner executor."""
        if self._closed:
            return
        self._closed = True
        try:
            self.cancel([*self._wholes])
        finally:
            self._inner.close()
            self._take(self._inner.collect(0))
            for whole in [*self._wholes.values()]:
                self._leave(whole)
            self._given |= self._ended

    def _hand_on(self) -> None:
        """Fill the slots of the inner executor."""
        for _ in range(min(self._inner.slots - len(self._calls), len(self._backlog))):
            part = self._backlog.popleft()
            self._calls[part.id] = part
            self._inner.submit(part)

    def _take(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            part = self._calls.pop(outcome.trial_id, None)
            if part is None or part.whole.id not in self._wholes:
                continue  # it was taken before
            whole = self._wholes[part.whole.id]
            whole.ended[part.number] = outcome
            whole.missing.discard(part.number)
            if not outcome.status.returned:
                self._end(whole, outcome)
            elif not whole.missing:
                self._leave(whole)

    def _end(self, whole: _Whole, outcome: Outcome) -> None:
        """Stop the evaluation of a trial. The first reason counts."""
        whole.end = whole.end or outcome
        waiting = [part for part in self._backlog if part.whole is whole.trial]
        self._backlog = deque(part for part in self._backlog if part.whole is not whole.trial)
        whole.missing -= {part.number for part in waiting}
        if not whole.missing:
            self._leave(whole)
        else:
            running = [id for id, part in self._calls.items() if part.whole is whole.trial]
            self._inner.cancel(running)

    def _leave(self, whole: _Whole) -> None:
        self._ended[whole.trial.id] = self._outcome(whole)
        self._wholes.pop(whole.trial.id, None)

    def _outcome(self, whole: _Whole) -> Outcome:
        """The outcome of a trial whose parts have all ended."""
        parts = [whole.ended[number] for number in sorted(whole.ended)]
        if len(parts) == self._n and all(part.status.returned for part in parts):
            outcome = self._merged(whole.trial, parts)
        else:
            outcome = whole.end or Outcome(whole.trial.id, Status.CANCELLED)
        started = [part.started for part in parts if part.started is not None]
        finished = [part.finished for part in parts if part.finished is not None]
        from sparktune.executors._spark_state import LOG_LIMIT  # here, as few runs have parts

        return replace(
            outcome,
            trial_id=whole.trial.id,
            started=min(started, default=None),
            finished=max(finished, default=None),
            log="".join(part.log for part in parts)[-LOG_LIMIT:],
        )

    def _merged(self, trial: Trial, parts: Sequence[Outcome]) -> Outcome:
        try:
            report = worker.read(self._merge(parts))
        except Exception as error:
            report = worker.failed(error)
        outcome = Outcome.of(trial.id, report)
        if self._n > 1:  # several parts hand nothing on
            return outcome
        return replace(outcome, state=parts[0].state, anew=parts[0].anew)
