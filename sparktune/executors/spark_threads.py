"""Driver threads for objectives that start Spark jobs of their own: their jobs are named, tagged
and cancellable.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError

from sparktune.executors.spark_session import inheriting, is_stopped
from sparktune.executors.task import Task
from sparktune.executors.threads import Threads
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkThreads:
    """`Threads` whose Spark jobs belong to their trial: description and tag in the UI, cancelled
    with it.
    """

    queues = False

    def __init__(self, spark: SparkSession, task: Task, slots: int) -> None:
        self.slots = self.room = slots
        self._spark = spark
        self._context = spark.sparkContext
        self._task = task
        self._threads = Threads(task, slots)

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A thread's target that inherits the caller's local properties."""
        return inheriting(self._spark, target)

    def call(self, trial: Trial, tag: str) -> dict[str, Any]:
        """Evaluate a trial in this thread, its Spark jobs tagged."""
        if is_stopped(self._context):
            return self._threads.call(trial, tag)
        self._context.setJobDescription(self._task.describe(trial))
        self._context.addJobTag(tag)
        try:
            return self._threads.call(trial, tag)
        finally:
            if not is_stopped(self._context):
                self._context.removeJobTag(tag)

    def started(self, tag: str) -> bool:
        """Always: a thread begins at once."""
        return True

    def lost(self) -> None:
        """Never."""

    def cancel(self, tag: str) -> bool:
        """Cancel the trial's Spark jobs; what runs in Python goes on, and nobody waits for it."""
        with contextlib.suppress(Py4JError, AttributeError):  # Spark has been stopped meanwhile
            self._context.cancelJobsWithTag(tag)
        return False

    def close(self) -> None:
        """Nothing is held."""
