"""The study: asks the scheduler for work and the sampler for points, keeps the records, and emits
events.

    study = Study({"x": hp.uniform("x", -10, 10)}, seed=1)
    for trial in study.ask(3):
        config = study.config(trial)
        study.tell(trial, (config["x"] - 3) ** 2)
    print(study.best, study.best_params)

A study uses no threads and no Spark, gets its clock from the caller, and only accesses files in
`save` and `load`. Every change is an event, and applying an event is the only way to change state.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from sparktune.arguments import whole
from sparktune.clocks import RunClock
from sparktune.errors import InvalidArgument
from sparktune.events import Asked, Begun, Enqueued, Event, Stopped, Told, attach
from sparktune.history import View
from sparktune.journal.saved import read_study, save_trials
from sparktune.ledger import Ledger
from sparktune.outcomes import outcome_of
from sparktune.proposals import feasible, new_points, proposed
from sparktune.results import ranking
from sparktune.results.shown import Shown
from sparktune.results.summary import line
from sparktune.samplers import Sampler, learns
from sparktune.samplers.algorithms import resolve
from sparktune.schedulers import (
    FullBudget,
    New,
    Promote,
    Scheduler,
    checked,
    full_budget,
    ladder,
    scores,
)
from sparktune.space.space import Space
from sparktune.trial import Header, Status, Trial

if TYPE_CHECKING:
    from sparktune.reporting.report import Report


_AHEAD = 8
"""Number of ended trials for each pending trial of `Study.ahead`. The regret of TPE after 100
trials of 2 ms in four slots is 0.111 with one trial a call, and 0.112, 0.125 and 0.135 with 8, 4
and 2 (12 development problems, 8 seeds): that of as many trials fewer.
"""


def _none_reserved() -> int:
    return 0


def _random_seed() -> int:
    return int.from_bytes(os.urandom(16), "big")


def _unwritten(events: Sequence[Event]) -> None:
    """The journal of a study without one."""


class Study(Shown):
    """One optimisation: the records of its trials, and the suggestion of new ones.

    `tune` runs a study. A study can also be used alone: `ask` for trials, evaluate them anywhere,
    and `tell` their results. Use it from one thread at a time. It can be pickled if its space can.

    Args:
        space: the search space, as for `tune`.
        sampler: the sampler, or its name.
        scheduler: decides what is evaluated next, and with which budget; None: full evaluations
            without a limit.
        seed: an integer >= 0, which together with the results determines the suggestions; None: a
            random one.
        records: {id: Trial} to continue and to keep up to date. Pending trials in it are handed out
            again.
        attachments: {"ATTACH::<id>::<name>": value} of the attachments of results, which is kept up
            to date.
        reserved: returns the smallest id that may be used, in addition to ids above the records.
        journal: called with events before they take effect; all trials of one `ask` arrive in one
            call. A `sparktune.journal.Journal` writes them to disk.
        clock: returns seconds since the epoch, for recorded times. Elapsed time is measured by a
            monotonic clock, or by `clock.timer` if it exists, as in simulated time.

    Attributes:
        space, sampler, scheduler, seed, journal: the arguments, or their defaults.
        records: {id: Trial}.
        running: ids of the trials that were handed out and have not ended.
        header: the description of the study; None before the first event.
        stop_reason: the reason of the end of the last run; None before that.
        end: number of trials at the end of the current run, without promotions; None: no limit.
        exhausted: whether the sampler had no more points at its last call.

    Raises:
        InvalidArgument, BadSearchSpace: an argument is invalid.
    """

    def __init__(
        self,
        space: Any,
        sampler: Sampler | str = "tpe",
        scheduler: Scheduler | None = None,
        seed: int | None = None,
        records: MutableMapping[int, Trial] | None = None,
        *,
        attachments: dict[str, Any] | None = None,
        reserved: Callable[[], int] = _none_reserved,
        journal: Callable[[Sequence[Event]], None] = _unwritten,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.space = space if isinstance(space, Space) else Space(space)
        self.sampler: Sampler = resolve(sampler, "sampler")
        self.scheduler: Scheduler = FullBudget() if scheduler is None else checked(scheduler)
        self.seed: int = _random_seed() if seed is None else whole("seed", seed, 0)
        self._clock = RunClock(clock)
        self._ledger = Ledger(self.space, {} if records is None else records, self._clock)
        self.records = self._ledger.records
        self.running = self._ledger.running
        self.attachments = {} if attachments is None else attachments
        self.journal = journal
        self.header: Header | None = None
        self.stop_reason: str | None = None
        self.exhausted = False
        self._reserved = reserved
        self.end: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"journal": _unwritten, "_reserved": _none_reserved}

    # Ask and tell

    def enqueue(self, values: Mapping[str, Any]) -> Trial:
        """Queue a point for evaluation before new ones are suggested; return its waiting trial.

        Args:
            values: {label: value} of the active parameters. The value of a choice is the index of
                its option. Numbers may be outside of the range of their parameter.

        Raises:
            InvalidArgument: `values` is not a point of the space.
        """
        trial = Trial(self.free_id, self.space.check(values), budget=self.first_budget)
        self._happen(Enqueued(trial))
        return trial

    def ask(self, n: int = 1) -> list[Trial]:
        """Up to n trials to evaluate now. Fewer if the scheduler or the sampler has no more, or if
        an earlier trial must end first.
        """
        n = whole("n", n, 0)
        events = [self._hand_out(self.records[id]) for id in self._ledger.waiting[:n]]
        while len(events) < n:
            knew = self.exhausted
            suggested = self._suggest(n - len(events))
            events += [self._hand_out(trial) for trial in suggested]
            if self.exhausted and not knew and not (events or self.running):
                continue  # the scheduler may have promotions without new points
            if self.exhausted or not suggested:
                break
        if events:
            self._write(events)
        return [event.trial for event in events]

    @property
    def left(self) -> int | None:
        """The largest number of trials that the current run will still ask for; None if unknown,
        because there is no limit, or because there may be promotions.
        """
        if self.end is None or ladder(self.scheduler):
            return None
        room = self.end - self._ledger.history.configurations
        return len(self._ledger.waiting) + max(room, 0)

    @property
    def ahead(self) -> float:
        """The number of trials that may be pending if an executor groups short trials, at which
        suggestions are nearly as good as without groups.
        """
        if not learns(self.sampler):
            return float("inf")
        waiting = len(self._ledger.waiting)  # these are not suggested
        return max((len(self.records) - len(self.running) - waiting) / _AHEAD, waiting)

    def tell(self, trial: Trial | int | Mapping[str, Any], result: Any) -> Trial:
        """Record the result of a trial; return its record.

        Args:
            trial: a trial from `ask` or `enqueue`, or its id; or a point {label: value}. A point
                means the first pending trial with these values, or else a new trial.
            result: the loss; or a dict with `status` ("ok" or "fail") and, if ok, `loss`; or the
                exception of the evaluation; or a `Failure`; or an `Outcome`.

        Raises:
            InvalidArgument: the trial does not exist or has ended already, the point is not in the
                space, or the result has another type.
        """
        record = self._record_of(trial)
        outcome = outcome_of(record.id, result)
        if outcome.finished is None:
            outcome = replace(outcome, finished=self._clock.clock())
        told = Told(record.told(outcome), outcome)
        self._happen(*([] if record.id in self.records else [Asked(record)]), told)
        return told.trial

    def config(self, trial: Trial | int | Mapping[str, Any]) -> Any:
        """The configuration that the objective receives for a trial, its id, or {label: value}.

        Raises:
            InvalidArgument: the trial does not exist, or the point is not in the space.
        """
        if isinstance(trial, Mapping):
            return self.space.decode(self.space.check(trial))
        return self.space.decode(self._ledger.known(trial).values)

    # Events

    def begin(self, events: Sequence[Event]) -> None:
        """Begin a run; `events` are its `Begun` with a limit, and the `Enqueued` points."""
        self._happen(*events)
        self._clock.begin()
        self.exhausted = False

    def stop(self, reason: str) -> Stopped:
        """Record the end of a run; return the event."""
        event = Stopped(reason)
        self._happen(event)
        return event

    def replay(self, events: Iterable[Event]) -> None:
        """Apply earlier events, such as those of a journal. Unfinished trials count as running
        until a run begins, which hands them out again.

        Raises:
            InvalidArgument: the events belong to another search space; the study is unchanged.
        """
        events = list(events)
        for event in events:
            if isinstance(event, Begun) and event.header.space not in ("", self._fingerprint()):
                changes = "; ".join(self.space.differences(event.header.columns))
                raise InvalidArgument(
                    f"these events belong to another search space ({changes}); continue "
                    "with the original space"
                )
        for event in events:
            self._apply(event)

    def _happen(self, *events: Event) -> None:
        self._write(events)
        for event in events:
            self._apply(event)

    def _write(self, events: Sequence[Event]) -> None:
        if self.header is None and not isinstance(events[0], Begun):
            begun = Begun(self.about(""))
            self._apply(begun)
            events = [begun, *events]
        self.journal(events)

    def _apply(self, event: Event) -> None:
        """Apply an event, which is the only way to change the study."""
        self._ledger.apply(event)
        match event:
            case Begun(header, limit):
                self.header, self.seed, self.stop_reason = header, header.seed, None
                if limit:
                    self.end = None if limit.end is None else limit.end + self._ledger.cancelled
            case Told(_, outcome):
                attach(self.attachments, outcome)
            case Stopped(reason):
                self.stop_reason, self.end = reason, None

    # Suggestions

    def _hand_out(self, trial: Trial) -> Asked:
        event = Asked(replace(trial, status=Status.RUNNING, asked=self._clock.clock()))
        self._apply(event)
        self._clock.hand_out(trial.id)
        return event

    def _suggest(self, n: int) -> list[Trial]:
        """Up to n new trials, suggested from the results that the first of them may use."""
        history = self.history
        room = None if self.end is None else self.end - self._ledger.history.configurations
        work = feasible(self.scheduler.schedule(history, n), room)
        if not work:
            return []
        first = self.free_id  # before the sampler's call, because Hyperopt's may reserve ids
        known = history if work[0].knows is None else history.until(work[0].knows)
        points = self._points(work, known, first)
        return proposed(self.space, self.seed, first, work, points, self._ledger.at)

    def _points(self, work: Sequence[New | Promote], known: View, first: int) -> Iterable[Any]:
        """A row of the sampler for each new point of the work; fewer if it has no more."""
        wanted = sum(isinstance(item, New) and not item.explore for item in work)
        if not wanted:
            return ()
        rng = np.random.default_rng([self.seed, first])
        seen = scores(self.scheduler, known)
        rows = new_points(work, self.sampler, self.space, known, seen, rng)
        self.exhausted = len(rows) < wanted
        return rows

    @property
    def first_budget(self) -> float:
        """The smallest budget of the scheduler."""
        return min(ladder(self.scheduler), default=full_budget(self.scheduler))

    @property
    def free_id(self) -> int:
        """The smallest id that a new trial may have."""
        return max(self._ledger.next_id, self._reserved())

    def row(self, id: int) -> int:
        """The row of a trial in the history."""
        return self._ledger.history.row_of[id]

    def _record_of(self, trial: Trial | int | Mapping[str, Any]) -> Trial:
        """The record of a pending trial, its id, or its point; a new record for another point."""
        if not isinstance(trial, Mapping):
            return self._ledger.open(trial)
        values = self.space.check(trial)
        known = self._ledger.open_at(values)
        if known is not None:
            return known
        now, full = self._clock.clock(), full_budget(self.scheduler)
        return Trial(self.free_id, values, Status.RUNNING, full, asked=now)

    # State

    @property
    def trials(self) -> Mapping[int, Trial]:
        """{id: Trial} of all trials; read-only."""
        return MappingProxyType(self.records)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the parameters."""
        return self.space.labels

    @property
    def history(self) -> View:
        """The current columnar history."""
        rows = self._ledger.history
        full = self.end is not None and rows.configurations >= self.end
        return rows.view(
            self._clock.now(),
            self._clock.begun,
            self.exhausted or full,
            full_budget(self.scheduler),
        )

    @property
    def best(self) -> Trial | None:
        """The trial with the smallest comparable loss, the earliest one of equal losses; None if
        there is none. In its `values`, a choice is the index of its option.
        """
        return ranking.best(self.records.values())

    @property
    def recommended(self) -> Trial | None:
        """The trial to use if losses are noisy: the one whose loss without noise is probably small,
        by the upper end of an estimate (mean and one standard deviation). `best` has the smallest
        loss with noise. The estimate is from a Gaussian process of all losses, from what differs
        between evaluations of the same point, and from the noise that results tell
        (`loss_variance`, `losses` of folds). It is `best` if no noise is seen, and with fewer than
        30 results none of which tells anything about it; None before there is a usable loss.
        """
        from sparktune.samplers.standing import recommended  # imported here: it imports scipy

        row = recommended(self.space, self.history)
        return None if row is None else self._ledger.at(row)

    def report(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Report:
        """One HTML page about this study, which is written to `path` if that is given. The options
        are those of `sparktune.report`: `test`, `redact`, `refresh`.
        """
        from sparktune.reporting.report import report

        return report(self, path, **options)

    def __str__(self) -> str:
        points = [tuple(t.values.items()) for t in self.records.values() if t.parent is None]
        again = len(set(points)) < len(points)
        if again and (sure := self.recommended) and self.best and sure.values != self.best.values:
            return f"{line(self)}; recommended with this noise: trial {sure.id}"
        return line(self)

    # Files

    def about(self, objective: str, since: Header | None = None) -> Header:
        """The header of this study for its journal. Seed and creation time are from `since`, the
        first header; None: the study's header.
        """
        since = since or self.header
        seed, created = (since.seed, since.created) if since else (self.seed, self._clock.clock())
        columns, names = self.space.describe(), self.space.options()
        rungs = ladder(self.scheduler)
        return Header(objective, seed, self._fingerprint(), columns, created, names, rungs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a journal of this study, which `load`, `tune(journal=)` and the command line read.
        An existing file is replaced.

        Raises:
            InvalidArgument: a run writes to the journal, or `path` cannot be a file.
            JournalFailed: the journal cannot be written.
        """
        save_trials(path, self.header or self.about(""), self.records, self.attachments)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        space: Any,
        sampler: Sampler | str = "tpe",
        scheduler: Scheduler | None = None,
    ) -> Study:
        """The study of a journal, which is not changed. `space` must be the study's space.
        Unfinished trials count as running: tell their results, or let `tune` evaluate them again.

        Raises:
            InvalidArgument: there is no journal, it cannot be read, or it has another space.
        """
        events = read_study(path)
        study = cls(space, sampler, scheduler)
        study.replay(events)
        return study

    def _fingerprint(self) -> str:
        return self.space.fingerprint()
