"""A thread that queries Spark, so that no other thread has to wait for it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sparktune.errors import SparkUnavailable
from sparktune.executors._calls import Timing
from sparktune.executors.spark_failures import STOPPED

T = TypeVar("T")


class Watch:
    """Counts the slots every few seconds, cancels, asks for what else is needed, and finds out
    when Spark is gone or answers no more.

    Each of these may take long when Spark hangs or the connection is bad. The thread ends with
    `close`, or with the process: nothing waits for it.

    Args:
        who: whom it asks, for people.
        room: how many tasks can run at once, as last known; kept up to date.
        look: counts them.
        interrupt: cancels what runs under a tag.
        gone: the error that ends a run, if this one means that Spark is gone.
        timing: how long to wait for what.
    """

    def __init__(
        self,
        who: str,
        room: int,
        look: Callable[[], int | None],
        interrupt: Callable[[str], object],
        gone: Callable[[Exception], SparkUnavailable | None],
        timing: Timing,
    ) -> None:
        self.room = room
        self._who = who
        self._look = look
        self._interrupt = interrupt
        self._is_gone = gone
        self._timing = timing
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._cancelling: set[str] = set()
        self._gone: SparkUnavailable | None = None
        self._answered = time.monotonic()
        self._since: float | None = None
        threading.Thread(target=self._work, name="sparktune-watch", daemon=True).start()

    def answered(self) -> None:
        """Note that Spark has just answered."""
        self._answered = time.monotonic()

    def lost(self) -> SparkUnavailable | None:
        """Why Spark is gone, or that it has not answered for so long that it must be gone."""
        silence = time.monotonic() - self._answered
        if self._gone or silence < self._timing.silence:
            return self._gone
        return silent(self._who, silence)

    def cancel(self, tag: str) -> None:
        """Request that the jobs with a tag are cancelled."""
        if tag not in self._cancelling:
            self._cancelling.add(tag)
            self._jobs.put(lambda: self._cancel(tag))

    def ask(self, question: Callable[[], T], within: float) -> T | None:
        """The return value of a function that the thread calls. None if it takes longer than the
        limit, or if an earlier request has waited that long.
        """
        answers: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._jobs.put(lambda: answers.put(question()))
        try:
            return answers.get(timeout=max(within - self._busy(), 0.0))
        except queue.Empty:
            return None

    def close(self) -> None:
        """End the thread after all requests are done."""
        self._jobs.put(None)

    def _work(self) -> None:
        look_at = time.monotonic() + self._timing.look
        while True:
            try:
                job = self._jobs.get(timeout=max(look_at - time.monotonic(), 0.0))
            except queue.Empty:
                job, look_at = self._count, time.monotonic() + self._timing.look
            if job is None:
                return
            self._do(job)

    def _do(self, job: Callable[[], object]) -> None:
        self._since = time.monotonic()
        try:
            job()
        except Exception as error:  # else a cancel is repeated, and silence is noticed
            self._gone = self._gone or self._is_gone(error)
        else:
            self.answered()
        finally:
            self._since = None

    def _busy(self) -> float:
        """The seconds for which the thread has waited for an answer."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def _cancel(self, tag: str) -> None:
        self._cancelling.discard(tag)
        self._interrupt(tag)

    def _count(self) -> None:
        self.room = self._look() or self.room


def within(seconds: float, who: str, question: Callable[[], T]) -> T:
    """The return value of a function that is called in a thread of its own.

    Raises:
        SparkUnavailable: there is no answer in so many seconds.
        Exception: the question's own.
    """
    answers: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put((question(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=ask, name="sparktune-first", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise silent(who, seconds) from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def silent(who: str, seconds: float) -> SparkUnavailable:
    """The error for a platform that has not answered for so long."""
    return SparkUnavailable(f"{who} has not answered for {seconds:.0f} seconds; {STOPPED}")
