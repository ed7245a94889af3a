"""Concurrency, written once: driver threads and two queues around a transport's blocking call.

The caller's thread only ever waits on a Python queue, so Ctrl-C always gets through; what it asks
of the platform (slots, what runs, to cancel a call) returns at once. `_calls` has the phases of a
call.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterable

from sparktune.errors import SparkUnavailable
from sparktune.executors._calls import USUAL, Call, Phase, Timing
from sparktune.executors.seams import Transport
from sparktune.trial import Failure, Outcome, Status, Trial

logger = logging.getLogger("sparktune")


class Crashed(Exception):
    """A transport's call ended without a report; the message says what is known."""


class Lost(Crashed):
    """A call ended without a report because the platform failed, and not the trial."""


class CancelledOutside(Exception):
    """A transport's call was cancelled by somebody else."""


class Pool:
    """Evaluates up to `parallelism` trials at once through a transport.

    Keeps one trial queued beyond those that run, so that a freed slot is refilled at once: in the
    platform's own queue where its slots are the limit, else here. Only one, because a queued
    suggestion was made with fewer results; none with `parallelism=1`.

    Args:
        transport: the platform.
        parallelism: the most trials that run at once; None: as many as the platform has room for,
            and a quarter more while it could have more room.
        trial_timeout: seconds a trial may run, from when the platform starts it; None: no limit.
        retries: how often a trial is evaluated again after the platform failed under it. One
            attempt has ended before the next begins, so only one can have a result.
        timing: how long to wait for what.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        transport: Transport,
        parallelism: int | None = None,
        trial_timeout: float | None = None,
        retries: int = 0,
        timing: Timing = USUAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retries = retries
        self._parallelism = parallelism
        self._transport = transport
        self._target = transport.bind(self._work)
        self._timeout = trial_timeout
        self._timing = timing
        self._clock = clock
        self._name = os.urandom(6).hex()
        self._todo: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Call | None, Outcome | Exception]] = queue.SimpleQueue()
        self._calls: dict[int, Call] = {}  # owned by the caller's thread, as what follows
        self._batch: list[Outcome] = []  # what `collect` gave out last
        self._cut_off: list[Outcome] = []  # of calls that ended with the platform
        self._look_at = 0.0
        self._lost: Exception | None = None
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._late: dict[int, Call] = {}  # did not end while `close` waited

    @property
    def slots(self) -> int:
        """How many trials may be inside now: those that can run, and one that waits."""
        can_run = self._can_run()
        return can_run if self._parallelism == 1 else can_run + 1

    @property
    def running(self) -> int:
        """How many of the trials inside run now, if the platform gives us all its slots."""
        return min(len(self._calls), self._can_run())

    def submit(self, trial: Trial) -> None:
        """Hand a trial to the next free thread."""
        call = Call(trial, f"sparktune-{self._name}-{trial.id}")
        self._calls[trial.id] = call
        if len(self._threads) < min(self._width(), len(self._calls)):
            self._start_thread()
        self._todo.put(call)

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
            self._wait(end)
            self._look()
            self._lost = self._lost or self._transport.lost()
            if self._batch or not self._calls or self._clock() >= end:
                break
            if self._lost or self.slots > slots:
                break
        if self._lost and not self._batch:
            raise self._lost
        return self._batch

    def cancel(self, ids: Iterable[int]) -> None:
        """Ask for trials to be ended."""
        for id in ids:
            if id in self._calls:
                self._end(self._calls[id], Status.CANCELLED)

    def close(self) -> None:
        """Cancel everything inside and wait, a few seconds at most, until it has ended; what has
        not is reported as ended, and a thread goes on cancelling it: a call that reaches the
        platform late would occupy it. Raises nothing of the platform's.
        """
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._todo.put(None)
        try:
            self._end_all()
        finally:
            for call in self._calls.values():
                if call.state.phase is Phase.ENDING:
                    self._late[call.trial.id] = call
                self._abandon(call)
            self._take_ended(0.0)
            self._batch += self._cut_off
            self._leave()

    def _leave(self) -> None:
        """Close the transport, once the calls have ended that did not end in time."""
        if self._late:
            name = f"sparktune-{self._name}-late"
            with contextlib.suppress(RuntimeError):  # the system gives no more threads
                threading.Thread(target=self._end_late, name=name, daemon=True).start()
                return
        self._transport.close()

    def _end_late(self) -> None:
        """Cancel, less and less often, until every late call has ended or the platform is gone."""
        patience = self._timing.again
        while self._late and not self._transport.lost():
            for call in self._late.values():
                self._transport.cancel(call.tag)
            self._take_ended(patience)
            patience = min(2 * patience, self._timing.look)
        self._transport.close()

    def _end_all(self) -> None:
        """Wait until every call has ended, cancelling again what does not."""
        end = self._clock() + self._timing.grace
        while True:
            self.cancel(list(self._calls))
            now = self._clock()
            if not self._calls or now >= end:
                return
            self._take_ended(min(self._timing.again, end - now))

    def _can_run(self) -> int:
        """How many trials may run: where the platform grows with what waits, it is made to."""
        slots = self._transport.slots
        if self._parallelism is not None:
            return min(self._parallelism, slots)
        room = self._transport.room
        return min(slots, room + max(room // 4, 1))

    def _width(self) -> int:
        """How many calls may be on the platform at once."""
        can_run = self._can_run()
        waits = self._transport.queues and can_run == self._transport.slots
        return can_run + 1 if waits and self._parallelism != 1 else can_run

    # In the threads

    def _start_thread(self) -> None:
        name = f"sparktune-{self._name}-{len(self._threads)}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            if not self._threads:
                raise
            logger.warning("no more threads: going on with %d", len(self._threads), exc_info=True)
        else:
            self._threads.append(thread)

    def _run(self) -> None:
        """Work; what the platform raises while it prepares a thread for work ends the run."""
        try:
            self._target()
        except Exception as error:
            self._done.put((None, self._transport.lost() or error))

    def _work(self) -> None:
        while (call := self._todo.get()) is not None:
            if call.taken.acquire(blocking=False):
                self._done.put((call, self._evaluate(call)))
                if call.state.phase is Phase.ABANDONED:
                    return

    def _evaluate(self, call: Call) -> Outcome | SparkUnavailable:
        for retries_left in range(self._retries, -1, -1):
            call.attempt += 1
            try:
                return Outcome.of(call.trial.id, self._transport.call(call.trial, call.tag))
            except SparkUnavailable as error:
                return error
            except BaseException as error:
                if not (isinstance(error, Lost) and retries_left and call.state.why is None):
                    return self._without_report(call, error)
                logger.warning("trial %d is evaluated again: %s", call.trial.id, error)
        raise AssertionError("the last attempt returns")

    def _without_report(self, call: Call, error: BaseException) -> Outcome:
        why = call.state.why
        if why is not None:
            return self._ended(call.trial, why)
        if isinstance(error, CancelledOutside):
            failure = Failure("Cancelled", str(error))
            return Outcome(call.trial.id, Status.CANCELLED, failure=failure)
        text = "" if isinstance(error, Crashed) else "".join(traceback.format_exception(error))
        failure = Failure(type(error).__name__, str(error), text)
        return Outcome(call.trial.id, Status.CRASHED, failure=failure)

    # In the caller's thread

    def _ended(self, trial: Trial, why: Status) -> Outcome:
        """The outcome of a trial that was told to end."""
        if why is not Status.TIMEOUT:
            return Outcome(trial.id, why)
        message = f"the trial ran longer than trial_timeout={self._timeout:g} seconds and was ended"
        return Outcome(trial.id, why, failure=Failure("Timeout", message))

    def _wait(self, end: float) -> None:
        """Take what has ended; wait for the first until `end` or until there is something to do."""
        now = self._clock()
        ending = (c.state.due for c in self._calls.values() if c.state.phase is Phase.ENDING)
        soonest = min([end, now + self._timing.look, *ending])
        if self._timeout is not None:
            soonest = min(soonest, self._look_at)
        patient = self._calls and not self._batch and not self._lost
        self._take_ended(min(max(soonest - now, 0.0), threading.TIMEOUT_MAX) if patient else 0.0)

    def _take_ended(self, patience: float) -> None:
        """Take all that has ended; wait for the first so many seconds."""
        with contextlib.suppress(queue.Empty):
            self._take(*self._done.get(timeout=patience))
            while True:
                self._take(*self._done.get_nowait())

    def _take(self, call: Call | None, outcome: Outcome | Exception) -> None:
        if isinstance(outcome, Exception):
            self._lost = self._lost or outcome
        if call is None or self._calls.get(call.trial.id) is not call:
            if call is not None:  # it was abandoned, and reported, before; now it has ended
                self._late.pop(call.trial.id, None)
            return
        del self._calls[call.trial.id]
        if isinstance(outcome, Exception):
            self._cut_off.append(Outcome(call.trial.id, Status.CANCELLED))
        else:
            self._batch.append(outcome)

    def _look(self) -> None:
        """Notice what runs, end what ran for longer than allowed, cancel again what still runs."""
        now = self._clock()
        if self._timeout is not None and now >= self._look_at:
            self._notice_what_runs(self._timeout, now)
        for call in list(self._calls.values()):
            if call.state.phase is Phase.ENDING and call.state.due <= now:
                self._end(call, Status.CANCELLED)

    def _notice_what_runs(self, limit: float, now: float) -> None:
        self._look_at = now + min(1.0, limit / 4)
        running = self._transport.running() if self._calls else frozenset()
        if running is None:  # nobody knows now
            return
        for call in list(self._calls.values()):
            call.state = call.state.seen(call.tag in running, call.attempt, now, limit)
            if call.state.phase is not Phase.RUNNING:
                continue
            if call.state.due <= now:
                self._end(call, Status.TIMEOUT)
            else:
                self._look_at = min(self._look_at, call.state.due)

    def _end(self, call: Call, why: Status) -> None:
        if call.state.phase is Phase.ABANDONED:
            return
        call.state = call.state.told_to_end(why, self._clock(), self._timing.again)
        if call.taken.acquire(blocking=False):  # no thread has begun it, and none will
            self._abandon(call)
        elif not self._transport.cancel(call.tag):  # its thread is left behind
            self._abandon(call)
            if not self._closed:
                self._start_thread()

    def _abandon(self, call: Call) -> None:
        """Report a call that was told to end without waiting until it has."""
        call.state = call.state.abandoned()
        self._done.put((call, self._ended(call.trial, call.state.why or Status.CANCELLED)))
