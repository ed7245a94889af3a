"""Concurrency, written once: driver threads and two queues around a transport's blocking call.

The caller's thread only ever waits on a Python queue, so Ctrl-C always gets through; what it asks
of the platform (slots, whether a call has started, to cancel one) returns at once.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from sparktune.errors import SparkUnavailable
from sparktune.trial import Failure, Outcome, Status, Transport, Trial

logger = logging.getLogger("sparktune")

_GRACE = 5.0  # seconds that close() waits for cancelled calls to end
_LOOK = 5.0  # seconds until the platform is asked again: have slots come, is it still there
_AGAIN = 0.25  # seconds until a cancel is repeated: it misses a call not yet on the platform


class Crashed(Exception):
    """A transport's call ended without a report; the message says what is known."""


class Lost(Crashed):
    """A call ended without a report because the platform failed, and not the trial."""


class CancelledOutside(Exception):
    """A transport's call was cancelled by somebody else."""


@dataclass(slots=True)
class _Call:
    """A trial inside the pool: since when it runs, why it is to end, when these are checked next,
    whether it has been reported, and whether nobody waits for it any more.

    `taken` is held by whoever got to it first: the thread that evaluates it, or its cancellation.
    """

    trial: Trial
    tag: str
    taken: threading.Lock = field(default_factory=threading.Lock)
    began: float | None = None
    why: Status | None = None
    deadline: float = float("inf")
    reported: bool = False
    given_up: bool = False


class Pool:
    """Evaluates up to `parallelism` trials at once through a transport.

    To fill a free slot at once, one trial more than can run is kept waiting: in the platform's own
    queue where its slots are what limits, else here. No more are, as a suggestion should know as
    many results as it can; with `parallelism=1` none is.

    Args:
        transport: the platform.
        parallelism: the most trials that run at once; None: as many as the platform has room for,
            and a quarter more while it could have more room.
        trial_timeout: seconds a trial may run, from when the platform starts it; None: no limit.
        retries: how often a trial is evaluated again after the platform failed under it. One
            attempt has ended before the next begins, so only one can have a result.
    """

    def __init__(
        self,
        transport: Transport,
        parallelism: int | None = None,
        trial_timeout: float | None = None,
        retries: int = 0,
    ) -> None:
        self._retries = retries
        self._parallelism = parallelism
        self._transport = transport
        self._target = transport.bind(self._work)
        self._timeout = trial_timeout
        self._name = uuid.uuid4().hex[:12]
        self._todo: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome | SparkUnavailable] = queue.SimpleQueue()
        self._calls: dict[int, _Call] = {}  # owned by the caller's thread, as what follows
        self._batch: list[Outcome] = []  # what `collect` gave out last
        self._lost: Exception | None = None
        self._threads: list[threading.Thread] = []
        self._closed = False

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
        call = _Call(trial, f"sparktune-{self._name}-{trial.id}")
        self._calls[trial.id] = call
        if len(self._threads) < min(self._width(), len(self._calls)):
            self._start_thread()
        self._todo.put(call)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Wait for ended trials, at most `timeout` seconds; return early if slots have come.

        After `close`, what was given out last is given again: an interrupt may have lost it.

        Raises:
            SparkUnavailable: the platform is gone; trials inside will not end.
        """
        if not self._closed:
            self._batch = []
        slots = self.slots
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            self._wait(end)
            self._expire()
            self._lost = self._lost or self._transport.lost()
            if self._batch or not self._calls or time.monotonic() >= end:
                break
            if self._lost or self.slots > slots:
                break
        if self._lost and not self._batch and not self._closed:
            raise self._lost
        return self._batch

    def cancel(self, ids: Iterable[int]) -> None:
        """Ask for trials to be ended."""
        for id in ids:
            if id in self._calls:
                self._end(self._calls[id], Status.CANCELLED)

    def close(self) -> None:
        """Cancel everything inside and wait, a few seconds at most, until it has ended."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._todo.put(None)
        self.cancel(list(self._calls))
        try:
            self._join()
        finally:
            self._transport.close()

    def _join(self) -> None:
        """Wait until every call has been reported, cancelling again what does not end."""
        end = time.monotonic() + _GRACE
        for thread in self._threads:
            while self._unreported() and thread.is_alive() and time.monotonic() < end:
                thread.join(_AGAIN)
                if thread.is_alive():
                    self.cancel(list(self._calls))

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

    def _unreported(self) -> bool:
        return any(not call.reported for call in self._calls.values())

    def _start_thread(self) -> None:
        name = f"sparktune-{self._name}-{len(self._threads)}"
        thread = threading.Thread(target=self._target, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            if not self._threads:
                raise
            logger.warning("no more threads: going on with %d", len(self._threads), exc_info=True)
        else:
            self._threads.append(thread)

    def _work(self) -> None:
        while (call := self._todo.get()) is not None:
            if call.taken.acquire(blocking=False):
                self._report(call, self._evaluate(call))
            if call.given_up:
                return

    def _report(self, call: _Call, outcome: Outcome | SparkUnavailable) -> None:
        self._done.put(outcome)
        call.reported = True

    def _evaluate(self, call: _Call) -> Outcome | SparkUnavailable:
        for retries_left in range(self._retries, -1, -1):
            self._begin(call)
            try:
                return Outcome.of(call.trial.id, self._transport.call(call.trial, call.tag))
            except SparkUnavailable as error:
                return error
            except BaseException as error:
                if not (isinstance(error, Lost) and retries_left and call.why is None):
                    return self._without_report(call, error)
                logger.warning("trial %d is evaluated again: %s", call.trial.id, error)
        raise AssertionError("the last attempt returns")

    def _begin(self, call: _Call) -> None:
        if self._timeout is not None:
            now = time.monotonic()
            call.began = None if self._transport.queues else now
            call.deadline = now + (self._interval() if call.began is None else self._timeout)

    def _without_report(self, call: _Call, error: BaseException) -> Outcome:
        if call.why is Status.TIMEOUT:
            return self._timed_out(call)
        if call.why is not None or isinstance(error, CancelledOutside):
            failure = None if call.why else Failure("Cancelled", str(error))
            return Outcome(call.trial.id, Status.CANCELLED, failure=failure)
        text = "" if isinstance(error, Crashed) else "".join(traceback.format_exception(error))
        failure = Failure(type(error).__name__, str(error), text)
        return Outcome(call.trial.id, Status.CRASHED, failure=failure)

    def _timed_out(self, call: _Call) -> Outcome:
        message = f"the trial ran longer than trial_timeout={self._timeout:g} seconds and was ended"
        failure = Failure("Timeout", message)
        return Outcome(call.trial.id, Status.TIMEOUT, failure=failure)

    def _interval(self) -> float:
        """Seconds between looks at whether a call has started."""
        return min(1.0, (self._timeout or 4.0) / 4)

    def _wait(self, end: float) -> None:
        """Take what has ended; wait for the first until `end` or until something is to be done."""
        now = time.monotonic()
        soonest = min([end, *(call.deadline for call in self._calls.values())])
        if self._timeout is not None:
            soonest = min(soonest, now + self._interval())
        soonest = min(soonest, now + _LOOK)
        try:
            if self._calls and not self._batch and not self._lost:
                wait = min(max(soonest - now, 0.0), threading.TIMEOUT_MAX)
                self._take(self._done.get(timeout=wait))
            while True:
                self._take(self._done.get_nowait())
        except queue.Empty:
            return

    def _take(self, outcome: Outcome | SparkUnavailable) -> None:
        if isinstance(outcome, SparkUnavailable):
            self._lost = outcome
        elif self._calls.pop(outcome.trial_id, None) is not None:  # else it was given up before
            self._batch.append(outcome)

    def _expire(self) -> None:
        """Notice the calls that have started, and end those that ran for longer than allowed."""
        now = time.monotonic()
        for call in list(self._calls.values()):
            if call.deadline > now:
                continue
            if call.why is not None or (call.began is not None and self._runs(call)):
                self._end(call, Status.TIMEOUT)
            elif self._timeout and self._transport.started(call.tag):
                call.began, call.deadline = now, now + self._timeout
            else:
                call.began, call.deadline = None, now + self._interval()

    def _runs(self, call: _Call) -> bool:
        """Whether a call that has started still runs: where its executor was lost it waits again,
        maybe for long.
        """
        return not self._transport.queues or self._transport.started(call.tag)

    def _end(self, call: _Call, why: Status) -> None:
        call.why = call.why or why
        if call.taken.acquire(blocking=False):
            self._report(call, Outcome(call.trial.id, call.why))
            return
        call.deadline = time.monotonic() + _AGAIN
        if not self._transport.cancel(call.tag) and not call.given_up:
            self._give_up(call)

    def _give_up(self, call: _Call) -> None:
        """Report a call that nothing can end as ended.

        Its thread is left behind, and another takes its place.
        """
        call.given_up = True
        timed_out = call.why is Status.TIMEOUT
        ended = Outcome(call.trial.id, Status.CANCELLED)
        self._report(call, self._timed_out(call) if timed_out else ended)
        if not self._closed:
            self._start_thread()
