"""Driver threads for objectives that use Spark themselves: what they run on Spark carries the tag
of their trial, and is cancelled with it.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from typing import Any

from sparktune.errors import SparkUnavailable
from sparktune.executors.task import Task
from sparktune.executors.threads import Threads
from sparktune.trial import Status, Trial

_AGAIN = 0.5  # seconds until a cancel is repeated


class TaggedThreads(Threads, ABC):
    """`Threads` whose Spark jobs belong to their trial."""

    def __init__(self, task: Task, slots: int) -> None:
        super().__init__(task, slots)
        self._ends: dict[str, threading.Event] = {}

    def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
        """Evaluate a trial in this thread. Its jobs are tagged.

        Raises:
            SparkUnavailable: the trial failed, and Spark is gone.
        """
        ended = self._ends[tag] = threading.Event()
        self.begin(trial, tag)
        try:
            report = super().evaluate(trial, tag)
            if report["status"] == Status.ERROR and (lost := self.ended()):
                raise lost
            return report
        finally:
            self.end(tag)
            del self._ends[tag]
            ended.set()

    def cancel(self, tag: str) -> bool:
        """Cancel the jobs of the trial, now and later. Its Python code continues, but the run does
        not wait for it.
        """
        if ended := self._ends.get(tag):
            threading.Thread(target=self._interrupt, args=(tag, ended), daemon=True).start()
        return False

    @abstractmethod
    def begin(self, trial: Trial, tag: str) -> None:
        """Tag the jobs that this thread starts from now on."""

    @abstractmethod
    def end(self, tag: str) -> None:
        """Remove the tag."""

    @abstractmethod
    def ended(self) -> SparkUnavailable | None:
        """The error that ends the run, if Spark is gone."""

    @abstractmethod
    def interrupt(self, tag: str) -> None:
        """Cancel the jobs with this tag."""

    def _interrupt(self, tag: str, ended: threading.Event) -> None:
        with contextlib.suppress(Exception):  # the session is gone, and its jobs with it
            while not ended.is_set():
                self.interrupt(tag)
                ended.wait(_AGAIN)
