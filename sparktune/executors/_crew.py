"""Driver threads that make a transport's blocking calls, between two queues."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeAlias

from sparktune.errors import SparkUnavailable
from sparktune.executors._calls import Call, Phase, Timing
from sparktune.executors.seams import Lost, Transport

logger = logging.getLogger("sparktune")

Reports: TypeAlias = "list[dict[str, Any] | None]"


class Crew:
    """Makes calls, each in a thread of its own while it lasts.

    Args:
        transport: makes them.
        retries: how often a call of one trial is made again after the platform failed under it.
        name: of the threads.
        timing: how long to wait for what.
    """

    def __init__(self, transport: Transport, retries: int, name: str, timing: Timing) -> None:
        self.threads: list[threading.Thread] = []
        self._transport = transport
        self._target = transport.bind(self._work)
        self._retries = retries
        self._name = name
        self._timing = timing
        self._todo: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Call | None, Reports | BaseException]] = (
            queue.SimpleQueue()
        )

    def hand_on(self, call: Call) -> None:
        """Let the next free thread make a call."""
        self._todo.put(call)

    def dismiss(self) -> None:
        """End every thread after its current call."""
        for _ in self.threads:
            self._todo.put(None)

    def ended(self, patience: float) -> Iterator[tuple[Call | None, Reports | BaseException]]:
        """All calls that have ended, with their reports or what they raised; wait for the first so
        many seconds. None stands for a call where a thread could not be prepared for work.
        """
        try:
            yield self._done.get(timeout=patience)
            while True:
                yield self._done.get_nowait()
        except queue.Empty:
            return

    def start_thread(self) -> None:
        """Start one more thread, if the system allows it.

        Raises:
            RuntimeError: it does not give even the first.
        """
        name = f"{self._name}-{len(self.threads)}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if not self.threads:
                raise
            logger.warning("no more threads: going on with %d", len(self.threads), exc_info=True)
        else:
            self.threads.append(thread)

    def leave(self, late: set[str]) -> None:
        """Close the transport after the calls with these tags have ended. A thread cancels them
        until then.
        """
        if late:
            with contextlib.suppress(RuntimeError):  # the system gives no more threads
                name = f"{self._name}-late"
                threading.Thread(target=self._end, args=(late,), name=name, daemon=True).start()
                return
        self._transport.close()

    def _end(self, late: set[str]) -> None:
        """Cancel the late calls, at growing intervals, until all have ended or the platform is
        gone.
        """
        patience = self._timing.again
        while late and not self._transport.lost():
            for tag in late:
                self._transport.cancel(tag)
            late -= {call.tag for call, _ in self.ended(patience) if call is not None}
            patience = min(2 * patience, self._timing.look)
        self._transport.close()

    def _run(self) -> None:
        """Make calls. An error of the platform while it prepares the thread ends the run."""
        try:
            self._target()
        except Exception as error:
            self._done.put((None, self._transport.lost() or error))

    def _work(self) -> None:
        while (call := self._todo.get()) is not None:
            if call.taken.acquire(blocking=False):
                self._done.put((call, self._made(call)))
                if call.state.phase is Phase.ABANDONED:
                    return

    def _made(self, call: Call) -> Reports | BaseException:
        for retries_left in range(self._retries if call.alone else 0, -1, -1):
            call.attempt += 1
            try:
                return self._transport.call(call.trials, call.tag, call.within)
            except SparkUnavailable as error:
                return error
            except BaseException as error:
                if not (isinstance(error, Lost) and retries_left and not call.told):
                    return error
                logger.warning("trial %d is evaluated again: %s", call.trials[0].id, error)
        raise AssertionError("the last attempt returns")
