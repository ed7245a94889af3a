"""The study: asks the scheduler what to do and the sampler where, keeps the records, and says what
happened.

No threads, no files, no Spark, no clock of its own. Everything that happens is an event, and
applying an event is the only way state changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from sparktune.history import History, View
from sparktune.results import ranking
from sparktune.samplers import Sampler
from sparktune.schedulers import Scheduler
from sparktune.space.space import Space
from sparktune.trial import Asked, Event, Outcome, Status, Stopped, Told, Trial, apply


class Study:
    """One optimisation: the records of its trials, and what to try next.

    Args:
        space: the search space.
        sampler: proposes points.
        scheduler: decides how many, and with which budget.
        seed: with the first id of each ask it determines the random numbers of that ask.
        records: the records to continue and to keep up to date, by trial id. Trials that were
            handed out and never ended are handed out again.
        reserved: says below which id all are taken, besides those of the records.
        journal: is given what happened, what one `ask` handed out at once, before it is used.
        clock: seconds since the epoch. It may be set while a run lasts, so it is only recorded: the
            time that passes is measured by a monotonic clock, or by `clock.timer` where there is
            one, as in simulated time.
    """

    def __init__(
        self,
        space: Space,
        sampler: Sampler,
        scheduler: Scheduler,
        seed: int,
        records: MutableMapping[int, Trial] | None = None,
        *,
        reserved: Callable[[], int] = lambda: 0,
        journal: Callable[[Sequence[Event]], None] = lambda events: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.space = space
        self.records: MutableMapping[int, Trial] = {} if records is None else records
        self.running: set[int] = set()
        self.exhausted = False
        """Whether the sampler had no more points when it was last asked."""
        self._sampler = sampler
        self._scheduler = scheduler
        self._seed = seed
        self._clock = clock
        self._begun = clock()
        self._timer: Callable[[], float] = getattr(clock, "timer", time.monotonic)
        self._timer_begun = self._timer()
        self._handed_out: dict[int, float] = {}
        self._history = History(len(space))
        self._rows: dict[int, int] = {}
        self._reserved = reserved
        self._journal = journal
        self._next_id = 0
        for trial in list(self.records.values()):
            self._enter(trial)
        self._waiting = [id for id, trial in self.records.items() if trial.status.pending]

    @property
    def history(self) -> View:
        """The columnar history as of now."""
        return self._history.view(self._now(), self._begun)

    @property
    def best(self) -> Trial | None:
        """The trial with the smallest usable loss, the earliest of equals."""
        return ranking.best(self.records.values())

    def ask(self, n: int) -> list[Asked]:
        """Up to n trials to evaluate now; none when scheduler or sampler has no more, or while an
        earlier trial has to end first.
        """
        known, self._waiting = self._waiting[:n], self._waiting[n:]
        events = [self._hand_out(self.records[id]) for id in known]
        while len(events) < n and (suggested := self._suggest(n - len(events))):
            events += [self._hand_out(trial) for trial in suggested]
            if self.exhausted:
                break
        if events:
            self._journal(events)
        return events

    def tell(self, outcome: Outcome) -> Told:
        """Record the end of a trial; now, if the outcome does not say when."""
        if outcome.finished is None:
            outcome = replace(outcome, finished=self._clock())
        event = Told(self.records[outcome.trial_id].told(outcome), outcome)
        self._journal([event])
        self.apply(event)
        return event

    def stop(self, reason: str) -> Stopped:
        """Record the end of a run."""
        event = Stopped(reason)
        self._journal([event])
        self.apply(event)
        return event

    def apply(self, event: Event) -> None:
        """Bring records and history up to date with an event; the only way in which they change."""
        apply(self.records, event)
        match event:
            case Asked(trial):
                self.running.add(trial.id)
                self._handed_out[trial.id] = self._now()
                self._enter(trial)
            case Told(trial, _):
                self.running.discard(trial.id)
                self._enter(replace(trial, finished=self._finished(trial)))

    def _now(self) -> float:
        """Seconds since the epoch, if nobody has set a clock since the run began."""
        return self._begun + self._timer() - self._timer_begun

    def _finished(self, trial: Trial) -> float | None:
        """When a trial ended by the time of this run: now, if what is recorded is by a clock that
        has been set, or that differs from ours.
        """
        since, now = self._handed_out.pop(trial.id, -np.inf), self._now()
        recorded = trial.finished
        return recorded if recorded is not None and since <= recorded <= now else now

    def _enter(self, trial: Trial) -> None:
        if isinstance(trial.id, int):  # documents of Hyperopt may have other ids
            self._next_id = max(self._next_id, trial.id + 1)
        if trial.id in self._rows:
            self._history.update(self._rows[trial.id], trial)
        else:
            self._rows[trial.id] = self._history.append(trial, self.space.encode(trial.values))

    def _hand_out(self, trial: Trial) -> Asked:
        event = Asked(replace(trial, status=Status.RUNNING, asked=self._clock()))
        self.apply(event)
        return event

    def _suggest(self, n: int) -> list[Trial]:
        """Up to n new trials, all from the same results: those that the first of them may know."""
        history = self.history
        work = self._scheduler.schedule(history, n)
        if not work:
            return []
        knows = work[0].knows
        work = list(takewhile(lambda new: new.knows == knows, work))
        known = history if knows is None else history.until(knows)
        first = max(self._next_id, self._reserved())
        rng = np.random.default_rng([self._seed, first])
        rows = self._sampler.suggest(self.space, known, len(work), rng)
        self.exhausted = len(rows) < len(work)
        return [
            Trial(first + i, self.space.values(row), budget=new.budget)
            for i, (row, new) in enumerate(zip(rows, work, strict=False))
        ]
