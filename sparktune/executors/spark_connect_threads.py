"""Driver threads for objectives that run Spark Connect queries of their own: their queries are
tagged and cancelled with their trial.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sparktune.executors.spark_session import with_tags
from sparktune.executors.task import Task
from sparktune.executors.threads import Threads
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_AGAIN = 0.5  # seconds until a cancel is repeated


class SparkConnectThreads(Threads):
    """`Threads` whose queries belong to their trial."""

    def __init__(self, spark: SparkSession, task: Task, slots: int) -> None:
        super().__init__(task, slots)
        self._spark: Any = spark
        self._ends: dict[str, threading.Event] = {}

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A thread's target that inherits the caller's tags."""
        return with_tags(self._spark, target)

    def call(self, trial: Trial, tag: str) -> dict[str, Any]:
        """Evaluate a trial in this thread, its queries tagged."""
        ended = self._ends[tag] = threading.Event()
        self._spark.addTag(tag)
        try:
            return super().call(trial, tag)
        finally:
            self._spark.removeTag(tag)
            del self._ends[tag]
            ended.set()

    def cancel(self, tag: str) -> bool:
        """Have the trial's queries cancelled, and those that it still starts; what runs in Python
        goes on, and nobody waits for it.
        """
        if ended := self._ends.get(tag):
            threading.Thread(target=self._interrupt, args=(tag, ended), daemon=True).start()
        return False

    def _interrupt(self, tag: str, ended: threading.Event) -> None:
        with contextlib.suppress(Exception):  # the session is gone, and its queries with it
            while not ended.is_set():
                self._spark.interruptTag(tag)
                ended.wait(_AGAIN)
