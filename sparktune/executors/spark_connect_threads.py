"""Driver threads for objectives that run Spark Connect queries of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sparktune.errors import SparkUnavailable
from sparktune.executors.spark_failures import STOPPED
from sparktune.executors.spark_session import with_tags
from sparktune.executors.tagged_threads import TaggedThreads
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkConnectThreads(TaggedThreads):
    """Threads whose queries are tagged."""

    def __init__(self, spark: SparkSession, task: Task, slots: int) -> None:
        super().__init__(task, slots)
        self._spark: Any = spark

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A target for threads that inherit the caller's tags."""
        return with_tags(self._spark, target)

    def begin(self, trial: Trial, tag: str) -> None:
        """Tag this thread's queries."""
        with contextlib.suppress(Exception):
            self._spark.addTag(tag)

    def end(self, tag: str) -> None:
        """Remove the tag."""
        with contextlib.suppress(Exception):  # the session is gone
            self._spark.removeTag(tag)

    def interrupt(self, tag: str) -> None:
        """Cancel the queries with this tag."""
        self._spark.interruptTag(tag)

    def ended(self) -> SparkUnavailable | None:
        """The error if the session was stopped; else None."""
        if not self._spark.is_stopped:
            return None
        return SparkUnavailable(f"the Spark session was stopped; {STOPPED}")
