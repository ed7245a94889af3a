"""Driver threads for objectives that run Spark Connect queries of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
        self._spark.addTag(tag)

    def end(self, tag: str) -> None:
        """Take the tag away again."""
        self._spark.removeTag(tag)

    def interrupt(self, tag: str) -> None:
        """Cancel what runs with this tag."""
        self._spark.interruptTag(tag)
