"""The threads that send a study to MLflow. They wait for a server that fails, and never delay the
run.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from sparktune.results.finished import Snapshot
from sparktune.tracking.client import hopeless, quickly, refused
from sparktune.tracking.projection import Projection
from sparktune.tracking.rate import Rate
from sparktune.trial import Status, Trial

logger = logging.getLogger("sparktune")

_LEAST, _MOST = 1.0, 60.0  # seconds between attempts, doubled from one to the next
_EVERY = 5.0  # seconds between the counts of the parent
_SHARE = 0.02  # of a core, for sending while trials run: it holds the interpreter's lock
_LONGEST = 1.0  # seconds of rest, at most, that keep that share
_THREADS = 4  # that send to a server after the end of the run
_REQUEST = 30.0  # seconds that a request may take


_sending: WeakValueDictionary[str, Sender] = WeakValueDictionary()
"""The latest sender of each study: the next one in this process takes over from it."""


class Sender:
    """Keeps a projection up to date: on one thread during the run, on several after it.

    Args:
        projection: what MLflow holds.
        study: the study before this run; `tell` adds to it.
        children: how many trials get a run; later ones get one only if they improve the best loss.
        rate: trials per second that go to a server with a quota.
        again: tells people how to send later what is missing.
    """

    def __init__(
        self, projection: Projection, study: Snapshot, children: int, rate: float, again: str
    ) -> None:
        self._projection = projection
        self._study = study
        self._most = children
        self._rate = Rate(rate)
        self._again = again
        self._changed = threading.Condition()
        self._records = dict(study.records)
        self._wanted: dict[Any, Trial] = {}
        self._taken: set[Any] = set()  # ids of trials that a thread sends
        self._new: dict[Any, Trial] = {}  # those of them that get a run
        self._improving: set[Any] = set()
        self._best: dict[float, float] = {}  # by budget
        self._hurry = threading.Event()  # the run has ended
        self._ended = threading.Event()
        self._opened = threading.Event()
        self._lost = False  # nothing can be sent, however long one waits
        self._problem: Exception | None = None
        self._pause = 0.0
        self._left_out = 0
        self._refused: dict[Any, Exception] = {}
        self._counted = time.monotonic()
        for trial in study.records.values():
            self.tell(trial)
        self._threads: list[threading.Thread] = []
        if before := _sending.get(projection.study):
            before.leave()
        _sending[projection.study] = self
        self._start(self._work)

    def leave(self) -> None:
        """Stop, because another sender takes over. Waits for the request that is under way."""
        with self._changed:
            self._ended.set()
            self._hurry.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_REQUEST)

    def tell(self, trial: Trial) -> None:
        """A trial changed. Returns at once."""
        with self._changed:
            best = self._best.get(trial.budget, float("inf"))
            if trial.status is Status.OK and trial.loss is not None and trial.loss < best:
                self._best[trial.budget] = trial.loss
                self._improving.add(trial.id)
            self._records[trial.id] = self._wanted[trial.id] = trial
            self._changed.notify()

    def stop(self, reason: str | None, patience: float | None) -> bool:
        """The run has ended: wait so many seconds, at most, until all is sent; whether it is."""
        with self._changed:
            self._study = replace(self._study, stop_reason=reason)
            self._hurry.set()
            self._changed.notify_all()
        if not self.wait(patience):
            logger.warning("MLflow: %s", self._unsent())
            return False
        return True

    def wait(self, seconds: float | None = None) -> bool:
        """After the end of the run: wait until all is sent; returns whether it is."""
        return self._ended.wait(seconds) and not self._lost

    def place(self, trial: Trial, seconds: float) -> dict[str, Any] | None:
        """What a worker needs to create a run; None if the parent is not there in that time."""
        if not self._opened.wait(seconds):
            return None
        return self._projection.place(trial)

    # What follows runs on the threads

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="sparktune-mlflow", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while not self._ended.is_set():
            began = time.thread_time()
            self._attempt(self._advance)
            if not self._hurry.is_set():
                took = time.thread_time() - began
                self._hurry.wait(min(took / _SHARE - took, _LONGEST))
            elif (
                len(self._threads) == 1 and self._opened.is_set() and self._projection.client.remote
            ):
                for _ in range(_THREADS - 1):
                    self._start(self._help)

    def _help(self) -> None:
        """Send beside `_work` what is left after the run."""
        while not self._ended.is_set() and (trial := self._take()):
            self._attempt(partial(self._send, trial))

    def _attempt(self, send: Callable[[], None]) -> None:
        """Send something. After a failure, wait; the first one is logged."""
        try:
            with quickly():
                self._projection.open()
            self._opened.set()
            send()
        except Exception as error:
            if not self._opened.is_set() and (not self._projection.connected or hopeless(error)):
                self._give_up(error)
            else:
                self._failed(error)
        else:
            self._pause = 0.0

    def _give_up(self, error: Exception) -> None:
        """Stop and log why: waiting would not help."""
        self._problem, self._lost = error, True
        logger.warning("MLflow cannot be used (%s); the run continues without it", _brief(error))
        self._ended.set()

    def _failed(self, error: Exception) -> None:
        """Wait before the next attempt; log the first failure."""
        with self._changed:
            first, self._problem = self._problem is None, error
            self._pause = min(max(self._pause * 2, _LEAST), _MOST)
        if first:
            logger.warning(
                "MLflow cannot be reached (%s); the run continues, and what is missing is sent "
                "later",
                _brief(error),
            )
        self._ended.wait(_LEAST if self._hurry.is_set() else self._pause)

    def _advance(self) -> None:
        """Send the next trial, the counts or the end; wait if there is nothing to send."""
        with self._changed:
            if not (self._wanted or self._hurry.is_set()):
                self._changed.wait(_EVERY)
        if not self._hurry.is_set() and time.monotonic() - self._counted >= _EVERY:
            with quickly():
                self._projection.count(self._whole())
            self._counted = time.monotonic()
        if trial := self._take():
            self._send(trial)
        elif self._hurry.is_set() and self._all_sent() and self._complete():
            self._finish()

    def _all_sent(self) -> bool:
        """Whether nothing is left; waits a second for what other threads send."""
        with self._changed:
            if self._wanted:
                self._changed.wait(_LEAST)
            return not self._wanted

    def _complete(self) -> bool:
        """Whether every trial has its run; looks once for runs that workers created."""
        if not self._projection.searching:
            return True
        with quickly():
            self._projection.find_children()
        with self._changed:
            self._wanted = {
                id: trial for id, trial in self._records.items() if not trial.status.pending
            }
        return False

    def _take(self) -> Trial | None:
        """A trial that is worth a run and that no other thread sends."""
        with self._changed:
            while trial := next(
                (t for id, t in self._wanted.items() if id not in self._taken), None
            ):
                if not self._projection.complete(trial) and self._worth(trial):
                    self._taken.add(trial.id)
                    return trial
                del self._wanted[trial.id]
        return None

    def _whole(self) -> Snapshot:
        """The study as it stands."""
        with self._changed:
            return replace(self._study, records=dict(self._records))

    def _send(self, trial: Trial) -> None:
        try:
            if self._projection.client.limited:
                with self._changed:
                    delay = self._rate.delay()
                self._ended.wait(delay)
            with quickly():
                self._projection.send(self._study, trial)
        except Exception as error:
            if not refused(error):
                self._release(trial)
                raise
            self._refused.setdefault(trial.id, error)
        self._release(trial, sent=True)

    def _release(self, trial: Trial, sent: bool = False) -> None:
        with self._changed:
            self._taken.discard(trial.id)
            self._new.pop(trial.id, None)
            if sent and self._wanted.get(trial.id) is trial:
                del self._wanted[trial.id]
            self._changed.notify_all()

    def _worth(self, trial: Trial) -> bool:
        """Whether a trial gets a run."""
        if self._projection.has(trial):
            return True
        coming = sum(not self._projection.has(each) for each in self._new.values())
        if self._projection.children + coming < self._most:
            self._new[trial.id] = trial
            return True
        if not trial.status.pending:
            if trial.id in self._improving:
                return True
            if not self._left_out:
                logger.warning(
                    "MLflow: %d trials have a run of their own; later ones get one only if they "
                    "improve the best loss. All are in trials.csv and report.html",
                    self._most,
                )
            self._left_out += 1
        return False

    def _finish(self) -> None:
        """Send what needs the whole study, and end it."""
        study = self._whole()
        with quickly():
            self._projection.count(study)
            try:
                self._projection.write(study)
            except Exception as error:  # a server that takes runs may take no files
                logger.warning("MLflow did not store the report (%s)", _brief(error))
            self._projection.end(study)
        if self._refused:
            id, problem = next(iter(self._refused.items()))
            logger.warning(
                "MLflow refused %d trials, the first is trial %s: %s",
                len(self._refused),
                id,
                _brief(problem),
            )
        self._ended.set()

    def _unsent(self) -> str:
        with self._changed:
            missing, all_ = len(self._wanted), len(self._records)
        why = f" ({_brief(self._problem)})" if self._problem else ""
        return f"{missing} of {all_} trials are not sent yet{why}; {self._again}"


def _brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:400]}"
