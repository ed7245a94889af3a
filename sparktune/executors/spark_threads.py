"""Driver threads for objectives that start Spark jobs of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from sparktune.errors import SparkUnavailable
from sparktune.executors.spark_failures import stopped
from sparktune.executors.spark_session import inheriting, is_stopped
from sparktune.executors.tagged_threads import TaggedThreads
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkThreads(TaggedThreads):
    """Threads whose Spark jobs are tagged, and named in the UI."""

    def __init__(self, spark: SparkSession, task: Task, slots: int) -> None:
        super().__init__(task, slots)
        self._context = spark.sparkContext
        self._inheriting = inheriting(spark)

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A target for threads that inherit the caller's local properties."""
        return self._inheriting(target)

    def begin(self, trial: Trial, tag: str) -> None:
        """Name and tag this thread's jobs."""
        with contextlib.suppress(Exception):  # Spark may have been stopped, or be gone
            self._context.setJobDescription(self._task.describe(trial))
            self._context.addJobTag(tag)

    def end(self, tag: str) -> None:
        """Remove the tag."""
        with contextlib.suppress(Exception):
            self._context.removeJobTag(tag)

    def interrupt(self, tag: str) -> None:
        """Cancel the jobs with this tag."""
        self._context.cancelJobsWithTag(tag)

    def ended(self) -> SparkUnavailable | None:
        """The error if Spark was stopped or its JVM died; else None."""
        return stopped() if is_stopped(self._context) else None
