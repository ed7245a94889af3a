"""Concurrency, written once: driver threads around a transport's blocking calls.

The caller's thread only ever waits on a Python queue, so Ctrl-C always gets through; what it asks
of the platform (slots, what runs, to cancel a call) returns at once. `_calls` has the phases of a
call, `_waiting` says which trials go into it, and `_crew` has the threads.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from sparktune.errors import SparkUnavailable
from sparktune.executors._batches import Batches
from sparktune.executors._calls import USUAL, Call, Phase, Timing
from sparktune.executors._crew import Crew, Reports
from sparktune.executors._ends import told_to_end, without_report
from sparktune.executors._places import Places
from sparktune.executors._waiting import Waiting
from sparktune.executors.seams import CancelledOutside, Transport
from sparktune.trial import Outcome, Status, Trial

logger = logging.getLogger("sparktune")


class Pool:
    """Evaluates trials through a transport, in up to `parallelism` calls at once.

    Keeps one call queued beyond those that run, so that a freed slot is refilled at once: in the
    platform's own queue where its slots are the limit, else here. Only one, because a queued
    suggestion was made with fewer results; none with `parallelism=1`.

    Args:
        transport: the platform.
        parallelism: the most calls that run at once; None: as many as the platform has room for,
            and a quarter more while it could have more room.
        trial_timeout: seconds a trial may run, from when the platform starts it; None: no limit.
        retries: how often a trial is evaluated again after the platform failed under it. One
            attempt has ended before the next begins, so only one can have a result.
        batch: trials of a call; None: several while they are short, see `_batches`, and one with
            `parallelism=1`.
        timing: how long to wait for what.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        transport: Transport,
        parallelism: int | None = None,
        trial_timeout: float | None = None,
        retries: int = 0,
        batch: int | None = 1,
        timing: Timing = USUAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = Places(transport, parallelism)
        self._transport = transport
        self._timeout = trial_timeout
        self._timing = timing
        self._clock = clock
        self._name = f"sparktune-{os.urandom(6).hex()}"
        self._crew = Crew(transport, retries, self._name, timing)
        # What follows is owned by the caller's thread.
        self._batches = Batches(1 if batch is None and parallelism == 1 else batch)
        self._waiting = Waiting(self._batches)
        self._waiting.look(self._places.inside)
        self._calls: dict[str, Call] = {}
        self._number = 0  # of the next call
        self._batch: list[Outcome] = []  # what `collect` gave out last
        self._early: list[Outcome] = []  # of trials of which nobody waits to hear
        self._cut_off: list[Outcome] = []  # of calls that ended with the platform
        self._look_at = 0.0
        self._looked = clock()
        self._lost: Exception | None = None
        self._closed = False

    @property
    def slots(self) -> int:
        """How many trials may be inside now: those of calls, and of the calls that there is a place
        for, one of which waits.
        """
        inside = sum(len(call.trials) for call in self._calls.values())
        return inside + self._waiting.room(self._places.inside, len(self._calls), inside)

    @property
    def running(self) -> int:
        """How many of the trials inside run now, if the platform gives us all its slots."""
        return min(len(self._calls), self._places.can_run)

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """Set what is known about the next trials: near the end, calls have fewer trials."""
        self._waiting.expect(trials, ahead)

    def submit(self, trial: Trial) -> None:
        """Take a trial. It is evaluated once there are enough trials for a call, or after
        `collect`.
        """
        self._waiting.add(trial)
        self._hand_on(self._waiting.size)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Wait for ended trials, at most `timeout` seconds; return early if slots have come.

        After `close` it gives what was given out last, as an interrupt may have lost it, and the
        ends of all that was inside.

        Raises:
            SparkUnavailable: the platform is gone; trials inside will not end.
        """
        if self._closed:
            return self._batch
        self._batch = []
        slots = self.slots
        end = float("inf") if timeout is None else self._clock() + timeout
        while True:
            self._hand_on()
            self._wait(end)
            self._look()
            self._take_early()
            self._lost = self._lost or self._transport.lost()
            if self._batch or not (self._calls or self._waiting) or self._clock() >= end:
                break
            if self._lost or self.slots > slots:
                break
        if self._lost and not self._batch:
            raise self._lost
        return self._batch

    def cancel(self, ids: Iterable[int]) -> None:
        """Cancel these trials."""
        wanted = set(ids)
        out = self._waiting.remove(wanted)
        self._early += [Outcome(trial.id, Status.CANCELLED) for trial in out]
        for call in [*self._calls.values()]:
            if found := [trial.id for trial in call.trials if trial.id in wanted]:
                self._tell(call, found, Status.CANCELLED)

    def close(self) -> None:
        """Cancel everything inside and wait, a few seconds at most, until it has ended; what has
        not is reported as ended, and a thread goes on cancelling it: a call that reaches the
        platform late would occupy it. Raises nothing of the platform's.
        """
        if self._closed:
            return
        self._closed = True
        self._crew.dismiss()
        try:
            self._end_all()
        finally:
            late = {c.tag for c in self._calls.values() if c.state.phase is Phase.ENDING}
            for call in [*self._calls.values()]:
                self._abandon(call)
            out = self._waiting.remove(self._waiting.ids)
            self._cut_off += [Outcome(trial.id, Status.CANCELLED) for trial in out]
            self._take_ended(0.0)
            self._batch += self._cut_off
            self._crew.leave(late)

    def _end_all(self) -> None:
        """Wait until every call has ended. Calls that do not end are cancelled again."""
        end = self._clock() + self._timing.grace
        while True:
            self.cancel([t.id for call in self._calls.values() for t in call.trials])
            now = self._clock()
            if not self._calls or now >= end:
                return
            self._take_ended(min(self._timing.again, end - now))

    # What goes into calls

    def _hand_on(self, at_least: int = 1) -> None:
        """Make calls of waiting trials while there are places, if enough trials wait."""
        while len(self._waiting) >= at_least and self._waiting.free(
            self._places.inside, len(self._calls)
        ):
            self._call(self._waiting.next(self._places.can_run, len(self._calls)))

    def _call(self, trials: list[Trial]) -> None:
        tag, within = f"{self._name}-{self._number}", self._batches.seconds(self._timeout)
        self._calls[tag] = call = Call(tuple(trials), tag, within, self._clock())
        self._number += 1
        if len(self._crew.threads) < min(self._places.on_platform, len(self._calls)):
            self._crew.start_thread()
        self._crew.hand_on(call)

    # How calls end

    def _wait(self, end: float) -> None:
        """Take the ended calls; wait for the first one until `end`, or until there is something to
        do.
        """
        now = self._clock()
        ending = (c.state.due for c in self._calls.values() if c.state.phase is Phase.ENDING)
        soonest = min([end, now + self._timing.look, *ending])
        if self._timeout is not None:
            soonest = min(soonest, self._look_at)
        if self._waiting.calls < self._places.inside:  # until some of them take long
            from_when = (call.long_from for call in self._calls.values())
            soonest = min([soonest, *(when for when in from_when if when > self._looked)])
        patient = self._calls and not self._early and not self._lost
        self._take_ended(min(max(soonest - now, 0.0), threading.TIMEOUT_MAX) if patient else 0.0)

    def _take_ended(self, patience: float) -> None:
        """Take all ended calls; wait at most this number of seconds for the first one."""
        for call, result in self._crew.ended(patience):
            self._take(call, result)
        self._take_early()

    def _take_early(self) -> None:
        self._batch += self._early
        self._early.clear()

    def _take(self, call: Call | None, result: Reports | BaseException) -> None:
        if call is None:
            assert isinstance(result, Exception)
            self._lost = self._lost or result
            return
        if self._calls.pop(call.tag, None) is None:
            return  # it was abandoned, and reported, before
        if isinstance(result, SparkUnavailable):
            self._lost = self._lost or result
            self._cut_off += [Outcome(trial.id, Status.CANCELLED) for trial in call.trials]
        elif isinstance(result, BaseException):
            self._take_failed(call, result)
        else:
            self._take_reports(call, result)

    def _take_reports(self, call: Call, reports: Reports) -> None:
        pairs = [*zip(call.trials, reports, strict=True)]
        found = [Outcome.of(trial.id, report) for trial, report in pairs if report is not None]
        self._batch += found
        ok = [outcome for outcome in found if outcome.status is Status.OK]
        started = [outcome.started for outcome in ok if outcome.started is not None]
        finished = [outcome.finished for outcome in ok if outcome.finished is not None]
        if started and finished:
            self._batches.note(len(ok), max(finished) - min(started))
        self._again(call, [trial for trial, report in pairs if report is None])

    def _take_failed(self, call: Call, error: BaseException) -> None:
        """Handle a call that ended without reports. If it had several trials, it is unknown which
        one ended it.
        """
        outside = isinstance(error, CancelledOutside) and call.state.phase is not Phase.ENDING
        if call.alone or outside:
            self._batch += [
                without_report(call, trial, error, self._timeout) for trial in call.trials
            ]
            return
        if again := len(call.trials) - len(call.told):
            logger.warning("%d trials are evaluated again, one by one: %s", again, error)
        self._again(call, call.trials, alone=True)

    def _again(self, call: Call, trials: Sequence[Trial], alone: bool = False) -> None:
        """Evaluate trials of an ended call again, unless they were told to end."""
        self._waiting.again([trial for trial in trials if trial.id not in call.told], alone)
        self._early += [
            told_to_end(call, trial, self._timeout) for trial in trials if trial.id in call.told
        ]

    # How calls are ended

    def _look(self) -> None:
        """Ask which calls run; end those that ran too long; repeat cancels without effect."""
        now = self._looked = self._clock()
        if self._timeout is not None and now >= self._look_at:
            self._notice_what_runs(self._timeout, now)
        for call in [*self._calls.values()]:
            if call.state.phase is Phase.ENDING and call.state.due <= now:
                self._end(call)
        long = [call for call in self._calls.values() if call.long_from <= now]
        late = [now - call.begun for call in long if not call.alone]
        self._waiting.look(self._places.inside, late, len(long))

    def _notice_what_runs(self, limit: float, now: float) -> None:
        self._look_at = now + min(1.0, limit / 4)
        running = self._transport.running() if self._calls else frozenset()
        if running is None:  # nobody knows now
            return
        for call in [*self._calls.values()]:
            most = limit if call.alone else limit + call.within
            call.state = call.state.seen(call.tag in running, call.attempt, now, most)
            if call.state.phase is not Phase.RUNNING:
                continue
            if call.state.due > now:
                self._look_at = min(self._look_at, call.state.due)
            elif call.alone:
                self._tell(call, [call.trials[0].id], Status.TIMEOUT)
            else:  # each of its trials gets its time in a call of its own
                self._end(call)

    def _tell(self, call: Call, ids: list[int], why: Status) -> None:
        """Tell trials of a call to end."""
        whole = call.tell(ids, why)
        if call.taken.acquire(blocking=False):  # no thread has begun it, and none will
            self._abandon(call)
        elif whole:
            self._end(call)
        elif call.state.phase is not Phase.ENDING:
            call.state = call.state.told_to_end(self._clock(), self._timing.companions)

    def _end(self, call: Call) -> None:
        """Let the platform end a call. If it cannot, the call's thread is abandoned."""
        call.state = call.state.told_to_end(self._clock(), self._timing.again)
        cannot = not self._transport.cancel(call.tag)
        if cannot and len(call.told) == len(call.trials):
            self._abandon(call)
            if not self._closed:
                self._crew.start_thread()

    def _abandon(self, call: Call) -> None:
        """Report the trials of a call that were told to end, without waiting for their end."""
        call.state = call.state.abandoned()
        del self._calls[call.tag]
        self._again(call, call.trials)
