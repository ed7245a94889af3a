"""Trials as Spark jobs on Spark Connect: one query with one task each, through the DataFrame API.

What is shipped travels as artifacts, files that belong to the session until it ends. A thread of
this module's own cancels queries, counts slots and finds out when the server answers no more, as
each of these may take long where the connection is bad and none may hold up the caller.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import os
import queue
import re
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark
from pyspark.errors import PySparkException
from pyspark.sql.types import BinaryType, StructField, StructType

from sparktune.errors import InvalidArgument, SparkUnavailable
from sparktune.executors import _spark_task
from sparktune.executors.pool import Lost
from sparktune.executors.spark_failures import STOPPED, explained
from sparktune.executors.spark_session import (
    elastic_slots,
    speculates,
    with_tags,
    without_executors,
)
from sparktune.executors.spark_shipping import Shipment, not_configured, unpickled_report
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger("sparktune")

_LOOK = 5.0  # seconds between counts of the slots, which also keep the session from expiring
_SILENCE = 60.0  # seconds without an answer of the server after which it is taken to be lost
_REPORT = StructType([StructField("report", BinaryType(), nullable=False)])
_GONE = re.compile(
    r"INVALID_HANDLE\.SESSION|SESSION_(CLOSED|CHANGED|NOT_FOUND)|RETRIES_EXCEEDED"
    r"|UNAVAILABLE|[Cc]hannel closed|closed channel|stopped SparkContext"
    r"|SparkContext was shut down"
)

_UNREADABLE = {"spark.dynamicAllocation.enabled": "true", "spark.speculation": "true"}

# Names of the artifacts that each session holds already.
_sent: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()


class SparkConnect:
    """Runs each call as a query of one task; Spark queues what its slots cannot take.

    Args:
        spark: a Spark Connect session.
        task: what to evaluate. The objective is pickled here, and shipped to the server once.
        resource_profile: a pyspark ResourceProfile for the tasks, with pyspark 4.0 or newer;
            ignored on a local master, which supports none.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel, or Spark has no room for it.
        InvalidArgument: this pyspark knows no resource profiles on Spark Connect.
        SparkUnavailable: the server does not answer.
    """

    def __init__(self, spark: SparkSession, task: Task, resource_profile: Any = None) -> None:
        self._spark: Any = spark
        self._task = task
        self._input = spark.range(0, 1, 1, 1)
        self._options = _options(self._input, resource_profile)
        self._thread = threading.local()
        self._running: set[str] = set()
        self._cancels: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._cancelling: set[str] = set()
        self._gone: SparkUnavailable | None = None
        try:
            self._start()
        except Exception as error:
            if lost := _lost(spark, error.__cause__ or error):
                raise lost from error
            raise

    def _start(self) -> None:
        spark = self._spark
        self._answered = time.monotonic()
        version = self._first_answer()
        conf = functools.partial(_setting, spark)
        if "profile" in self._options and without_executors(str(conf("spark.master", ""))):
            logger.warning("resource_profile is ignored: a local master supports none")
            self._options = {}
        # A server that this process started sees the same files.
        paths = [path for path in sys.path if path] if "SPARK_LOCAL_REMOTE" in os.environ else []
        evaluation = _spark_task.Evaluation(_spark_task.file_of_job, paths, not speculates(conf))
        self._shipment = Shipment(
            self._task.objective, evaluation, self._send, nearby=_is_near(spark)
        )
        self._most = elastic_slots(conf)
        self._cpus = _task_cpus(spark, self._options.get("profile"))
        self.room = count_slots(spark, self._cpus)  # as of some seconds ago
        self._answered = time.monotonic()
        # Before Spark 4 nobody tells when a query leaves Spark's queue, so none is put there.
        self.queues = hasattr(spark, "registerProgressHandler") and not version.startswith("3")
        if self.queues:
            spark.registerProgressHandler(self._progress)
        watch = threading.Thread(target=self._watch, name="sparktune-connect", daemon=True)
        watch.start()

    def _first_answer(self) -> str:
        """The server's version. The client by itself would try for ten minutes to hear of it."""
        answers: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._spark.version)
            except Exception as error:
                answers.put(error)

        threading.Thread(target=ask, name="sparktune-connect-first", daemon=True).start()
        try:
            answer = answers.get(timeout=_SILENCE)
        except queue.Empty:
            answer = _silent(_SILENCE)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def slots(self) -> int:
        """How many tasks the server can run at once: `room`, or where executors come as tasks wait,
        as many as there can be.
        """
        return self.room if self._most is None else self._most

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A target for threads that inherit the caller's tags."""
        return with_tags(self._spark, target)

    def call(self, trial: Trial, tag: str) -> dict[str, Any]:
        """Evaluate one trial as a query.

        Raises:
            Crashed: the query failed without a report of the worker.
            CancelledOutside: the query was cancelled, and maybe not by us.
            SparkUnavailable: the session has ended, or the connection is lost.
        """
        try:
            config = self._shipment.pickled_config(self._task, trial)
        except Exception as error:
            return not_configured(error)
        shipment = self._shipment

        def run(sources: _spark_task.Sources) -> bytes:
            function = functools.partial(_spark_task.run_batches, shipment.code, sources, config)
            return self._run(function, tag)

        return unpickled_report(shipment.answer(run))

    def started(self, tag: str) -> bool:
        """Whether the query's task has been given a slot, as of some seconds ago."""
        return tag in self._running

    def lost(self) -> SparkUnavailable | None:
        """Why the session is gone, or that the server has not answered for so long that it must be
        gone.
        """
        silence = time.monotonic() - self._answered
        if self._gone or silence < _SILENCE:
            return self._gone
        return _silent(silence)

    def cancel(self, tag: str) -> bool:
        """Have the query cancelled; Spark ends the worker's process if the task goes on."""
        if tag not in self._cancelling:
            self._cancelling.add(tag)
            self._cancels.put(tag)
        return True

    def close(self) -> None:
        """Leave the session as it was. Artifacts stay, as Spark cannot remove them before it
        ends.
        """
        self._cancels.put(None)
        self._shipment.close()
        if self.queues:
            self._spark.removeProgressHandler(self._progress)

    def _send(self, name: str, parts: Sequence[Any]) -> str:
        names = _sent.setdefault(self._spark, set())
        file = f"{name}.pickle"
        if file not in names:
            with tempfile.TemporaryDirectory(prefix="sparktune-") as folder:
                path = Path(folder, file)
                with open(path, "wb") as artifact:
                    artifact.writelines(parts)
                self._spark.addArtifact(str(path), file=True)
            names.add(file)
        return file

    def _run(self, function: Callable[..., Any], tag: str) -> bytes:
        spark = self._spark
        self._thread.tag = tag
        spark.addTag(tag)
        try:
            rows = self._input.mapInArrow(function, _REPORT, **self._options).collect()
        except Exception as error:
            if lost := _lost(spark, error):
                raise lost from error
            raise _explained(error) from error
        finally:
            spark.removeTag(tag)
            self._running.discard(tag)
            self._thread.tag = None
        self._answered = time.monotonic()
        return b"".join(bytes(row.report) for row in rows)

    def _progress(
        self, stages: Iterable[Any] | None, inflight_tasks: int, operation_id: Any, done: bool
    ) -> None:
        """What Spark tells of a query, every few seconds, in the thread that waits for it."""
        self._answered = time.monotonic()
        tag = getattr(self._thread, "tag", None)
        if tag and inflight_tasks:
            self._running.add(tag)
        elif tag:  # it waits, maybe again, as its executor was lost
            self._running.discard(tag)

    def _watch(self) -> None:
        while (tag := self._next_cancel()) is not None:
            with self._noticing_loss():
                self._interrupt(tag) if tag else self._look()

    @contextlib.contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # else a cancel is repeated, and silence is noticed
            self._gone = self._gone or _lost(self._spark, error)

    def _next_cancel(self) -> str | None:
        try:
            return self._cancels.get(timeout=_LOOK)
        except queue.Empty:
            return ""

    def _interrupt(self, tag: str) -> None:
        self._cancelling.discard(tag)
        self._spark.interruptTag(tag)

    def _look(self) -> None:
        self.room = planned_slots(self._spark, self._cpus) or self.room
        self._answered = time.monotonic()


def _is_near(spark: Any) -> bool:
    """Whether the server seems to be on this machine; it may be at the end of a tunnel."""
    host = getattr(getattr(spark, "client", None), "host", "")
    return "SPARK_LOCAL_REMOTE" in os.environ or host in ("localhost", "127.0.0.1", "::1", "[::1]")


def count_slots(spark: Any, cpus: float) -> int:
    """How many tasks of so many CPUs the server can run at once now, at least 1."""
    if slots := planned_slots(spark, cpus):
        return slots
    parts = spark.range(2**20).selectExpr("spark_partition_id() AS part")
    return max(int(parts.distinct().count()), 1)


def planned_slots(spark: Any, cpus: float) -> int | None:
    """The slots as the planner sees them, without a job: it splits a range into as many parts as
    there are cores. None if its plan does not tell.
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


def _options(frame: Any, profile: Any) -> dict[str, Any]:
    if profile is None:
        return {}
    if "profile" not in inspect.signature(frame.mapInArrow).parameters:
        raise InvalidArgument(
            "resource_profile on Spark Connect needs pyspark 4.0 or newer, and this is "
            f"{pyspark.__version__}; leave it out, or use a classic session"
        )
    return {"profile": profile}


def _lost(spark: Any, error: BaseException) -> SparkUnavailable | None:
    """The error that ends a run, if this one means that session or server are gone."""
    if spark.is_stopped:
        return SparkUnavailable(f"the Spark session was stopped; {STOPPED}")
    if _GONE.search(str(error)):
        [line, *_] = str(error).splitlines()
        return SparkUnavailable(f"the Spark Connect session is gone ({line}); {STOPPED}")
    return None


def _silent(seconds: float) -> SparkUnavailable:
    return SparkUnavailable(
        f"the Spark Connect server has not answered for {seconds:.0f} seconds; {STOPPED}"
    )


def _explained(error: Exception) -> Exception:
    if not isinstance(error, PySparkException):  # of gRPC, or in the client
        return Lost(f"the connection to the Spark Connect server broke: {error}")
    return explained(str(error).split("JVM stacktrace:")[0])
