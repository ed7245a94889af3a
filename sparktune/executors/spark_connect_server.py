"""Queries of a Spark Connect server, and the detection of its end."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sparktune.errors import SparkUnavailable
from sparktune.executors.spark_failures import STOPPED
from sparktune.executors.spark_session import elastic_slots, speculates, without_executors

_GONE = re.compile(
    r"INVALID_HANDLE\.SESSION|SESSION_(CLOSED|CHANGED|NOT_FOUND)|RETRIES_EXCEEDED"
    r"|UNAVAILABLE|[Cc]hannel closed|closed channel|stopped SparkContext"
    r"|SparkContext was shut down"
)

_UNREADABLE = {"spark.dynamicAllocation.enabled": "true", "spark.speculation": "true"}


@dataclass(frozen=True)
class Server:
    """What a server reports of itself at first.

    Attributes:
        version: Spark's.
        local: whether its driver runs the tasks, so that there are no resource profiles.
        speculates: whether it may run a second copy of a slow task.
        cpus: of one task.
        slots: how many tasks can run at once now; None if it does not say without a job.
        most: to how many tasks dynamic allocation may grow; None where it is off.
    """

    version: str
    local: bool
    speculates: bool
    cpus: float
    slots: int | None
    most: int | None


def asked(spark: Any, profile: Any) -> Server:
    """The server of a session; `profile` as for `open_connect`."""
    version, conf = spark.version, functools.partial(_setting, spark)
    local = without_executors(str(conf("spark.master", "")))
    cpus = _task_cpus(spark, None if local else profile)
    slots = planned_slots(spark, cpus)
    return Server(version, local, speculates(conf), cpus, slots, elastic_slots(conf))


def is_near(spark: Any) -> bool:
    """Whether the server seems to be on this machine; it may be at the end of a tunnel."""
    host = getattr(getattr(spark, "client", None), "host", "")
    return "SPARK_LOCAL_REMOTE" in os.environ or host in ("localhost", "127.0.0.1", "::1", "[::1]")


def count_slots(spark: Any) -> int:
    """The number of tasks that the server can run at once now, at least 1. This runs a job."""
    parts = spark.range(2**20).selectExpr("spark_partition_id() AS part")
    return max(int(parts.distinct().count()), 1)


def planned_slots(spark: Any, cpus: float) -> int | None:
    """The slots as the planner sees them, without a job: it splits a range into as many parts as
    there are cores. None if its plan does not say.
    """
    [(plan,)] = spark.sql("EXPLAIN SELECT * FROM range(1)").collect()
    splits = re.search(r"splits=(?:Some\()?(\d+)", plan)
    return max(int(int(splits[1]) / cpus), 1) if splits else None


def _task_cpus(spark: Any, profile: Any) -> float:
    """The CPUs of one task."""
    if profile is not None and "cpus" in profile.taskResources:
        return float(profile.taskResources["cpus"].amount)
    return float(_setting(spark, "spark.task.cpus", "1") or 1)


def _setting(spark: Any, name: str, default: str) -> str | None:
    """A setting of Spark. Where they cannot be read, as on serverless compute, executors come and
    go, and tasks may be copied.
    """
    try:
        value: str | None = spark.conf.get(name, default)
    except Exception:
        return _UNREADABLE.get(name, default)
    return value


def lost(spark: Any, error: BaseException) -> SparkUnavailable | None:
    """The error that ends the run, if this error means that the session or the server is gone; else
    None.
    """
    if spark.is_stopped:
        return SparkUnavailable(f"the Spark session was stopped; {STOPPED}")
    if _GONE.search(str(error)):
        [line, *_] = str(error).splitlines()
        return SparkUnavailable(f"the Spark Connect session is gone ({line}); {STOPPED}")
    return None


@contextlib.contextmanager
def noticing_the_end(spark: Any) -> Iterator[None]:
    """A context in which errors become `SparkUnavailable` if the session or the server is gone."""
    try:
        yield
    except Exception as error:
        if end := lost(spark, error.__cause__ or error):
            raise end from error
        raise
