"""The threads that send a study to MLflow. They retry if the server fails; they never delay the
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
_EVERY = 5.0  # seconds between updates of the parent's counts
_SHARE = 0.02  # share of a core for sending during the run, because it holds the interpreter's lock
_LONGEST = 1.0  # longest pause, in seconds, to keep to that share
_THREADS = 4  # number of threads that send to a server after the end of the run
_REQUEST = 30.0  # longest time of a request, in seconds


_sending: WeakValueDictionary[str, Sender] = WeakValueDictionary()
"""The latest sender of each study. The next one in this process replaces it."""


class Sender:
    """Keeps a projection up to date: on one thread during the run, on several after it.

    Args:
        projection: the runs in MLflow.
        study: the study before this run; `tell` adds trials.
        children: number of trials with a run; later ones only get one if they improve the best
            loss.
        rate: trials per second that are sent to a server with a quota.
        again: a hint for users how to send missing trials later.
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
        self._taken: set[Any] = set()  # ids of the trials that threads are sending
        self._new: dict[Any, Trial] = {}  # those of them that get a new run
        self._improving: set[Any] = set()
        self._best: dict[float, float] = {}  # by budget
        self._hurry = threading.Event()  # the run has ended
        self._ended = threading.Event()
        self._opened = threading.Event()
        self._lost = False  # whether nothing can be sent
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
        """Stop, because another sender replaces this one. Waits for the current requests."""
        with self._changed:
            self._ended.set()
            self._hurry.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_REQUEST)

    def tell(self, trial: Trial) -> None:
        """Note that a trial has changed. Returns at once."""
        with self._changed:
            best = self._best.get(trial.budget, float("inf"))
            if trial.status is Status.OK and trial.loss is not None and trial.loss < best:
                self._best[trial.budget] = trial.loss
                self._improving.add(trial.id)
            self._records[trial.id] = self._wanted[trial.id] = trial
            self._changed.notify()

    def stop(self, reason: str | None, patience: float | None) -> bool:
        """Note that the run has ended; wait at most `patience` seconds until everything is sent,
        and return whether it is.
        """
        with self._changed:
            self._study = replace(self._study, stop_reason=reason)
            self._hurry.set()
            self._changed.notify_all()
        if not self.wait(patience):
            logger.warning("MLflow: %s", self._unsent())
            return False
        return True

    def wait(self, seconds: float | None = None) -> bool:
        """Wait after the end of the run until everything is sent; return whether it is."""
        return self._ended.wait(seconds) and not self._lost

    def place(self, trial: Trial, seconds: float) -> dict[str, Any] | None:
        """The values that a worker needs to create a run; None if the parent does not exist within
        that time.
        """
        if not self._opened.wait(seconds):
            return None
        return self._projection.place(trial)

    # The methods below run on the threads

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
        """Send remaining trials after the run, in parallel with `_work`."""
        while not self._ended.is_set() and (trial := self._take()):
            self._attempt(partial(self._send, trial))

    def _attempt(self, send: Callable[[], None]) -> None:
        """Call `send`. After a failure, wait; the first failure is logged."""
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
        """Stop and log the reason, if a retry would not help."""
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
                "MLflow cannot be reached (%s); the run continues, and missing trials are sent "
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
        """Whether nothing is left to send; waits a second for other threads."""
        with self._changed:
            if self._wanted:
                self._changed.wait(_LEAST)
            return not self._wanted

    def _complete(self) -> bool:
        """Whether every trial has its run. The first call looks for runs that workers created."""
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
        """The next trial to send that no other thread is sending; None if there is none."""
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
        """The study in its current state."""
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
                    "MLflow: %d trials have a run of their own; later trials get one only if they "
                    "improve the best loss. All trials are in trials.csv and report.html",
                    self._most,
                )
            self._left_out += 1
        return False

    def _finish(self) -> None:
        """Send the parts that need the whole study, and end the parent run."""
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
