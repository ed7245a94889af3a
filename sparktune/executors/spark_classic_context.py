"""Queries of a SparkContext: the number of slots, the running jobs, and the end of a task."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError

from sparktune.executors.spark_failures import stopped
from sparktune.executors.spark_session import is_stopped

if TYPE_CHECKING:
    from pyspark import SparkContext


@contextlib.contextmanager
def noticing_the_end(context: SparkContext) -> Iterator[None]:
    """A context in which errors become `SparkUnavailable` if Spark was stopped or its JVM died."""
    try:
        yield
    except Exception as error:
        if is_stopped(context):
            raise stopped() from error
        raise


def count_slots(context: Any, rdd: Any) -> int:
    """How many tasks of an RDD the application can run at once now, at least 1."""
    if is_stopped(context):
        raise stopped()
    try:
        scala = context._jsc.sc()
        default = scala.resourceProfileManager().defaultResourceProfile()
        profile = rdd._jrdd.rdd().getResourceProfile() or default
        slots = int(scala.maxNumConcurrentTasks(profile))
    except (Py4JError, AttributeError):  # internal to Spark: may move, or be hidden by the platform
        slots = int(context.defaultParallelism)
    return max(slots, 1)


def running_tags(context: Any) -> set[str]:
    """The tags of all jobs that have a task in a slot now."""
    store = context._jsc.sc().statusStore()
    # What jobs report of their tasks is up to a heartbeat, 10 seconds, old; stages are current.
    active = store.activeStages()
    stages = (active.apply(i) for i in range(active.size()))
    busy = {stage.stageId() for stage in stages if stage.numActiveTasks()}
    if not busy:
        return set()
    status = context._jvm.org.apache.spark.JobExecutionStatus.RUNNING
    jobs = store.jobsList(context._jvm.java.util.Collections.singletonList(status))
    tags: set[str] = set()
    for job in (jobs.apply(i) for i in range(jobs.size())):
        if busy.intersection(map(int, filter(None, job.stageIds().mkString(",").split(",")))):
            tags.update(job.jobTags().mkString("\n").split("\n"))
    return tags


def first_end(context: Any, tag: str) -> str:
    """How the first attempt of the last task with a tag ended, by Spark's report; "" if unknown."""
    try:
        scala = context._jsc.sc()
        job = max(scala.statusTracker().getJobIdsForTag(tag))
        [stage] = context.statusTracker().getJobInfo(job).stageIds
        first = scala.statusStore().taskList(stage, 0, 100).apply(0)
        return str(first.errorMessage().get())
    except (Py4JError, AttributeError, ValueError):  # internal to Spark, as the slots
        return ""
