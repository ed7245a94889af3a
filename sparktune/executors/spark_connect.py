"""Trials as Spark jobs on Spark Connect: queries of one task, through the DataFrame API.

What is shipped travels as artifacts, files that belong to the session until it ends. A `Watch`
cancels queries and counts slots, which also keeps the session from expiring.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark
from pyspark.errors import PySparkException
from pyspark.sql.types import BinaryType, StructField, StructType

from sparktune.errors import InvalidArgument, SparkUnavailable
from sparktune.executors import _spark_process, _spark_task
from sparktune.executors._calls import USUAL, Timing
from sparktune.executors._watch import Watch, within
from sparktune.executors.seams import Lost
from sparktune.executors.spark_connect_server import (
    asked,
    count_slots,
    is_near,
    lost,
    noticing_the_end,
    planned_slots,
)
from sparktune.executors.spark_failures import failure_of
from sparktune.executors.spark_session import with_tags
from sparktune.executors.spark_shipping import Shipment
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger("sparktune")

SERVER = "the Spark Connect server"
_REPORT = StructType([StructField("report", BinaryType(), nullable=False)])
# For each session the names of the artifacts that it holds, and a lock for the next: a server fails
# where the same one comes twice at once.
_sent: weakref.WeakKeyDictionary[Any, tuple[set[str], threading.Lock]] = weakref.WeakKeyDictionary()


def open_connect(
    spark: SparkSession, task: Task, resource_profile: Any = None, timing: Timing = USUAL
) -> SparkConnect:
    """Ship the objective to the server, and get ready to run trials.

    Args:
        spark: a Spark Connect session.
        task: what to evaluate. The objective is pickled here, and shipped to the server once.
        resource_profile: a pyspark ResourceProfile for the tasks, with pyspark 4.0 or newer;
            ignored on a local master, which supports none.
        timing: how long to wait for what.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel, or Spark has no room for it.
        InvalidArgument: this pyspark knows no resource profiles on Spark Connect.
        SparkUnavailable: the server does not answer.
    """
    frame = spark.range(0, 1, 1, 1)
    options = _options(frame, resource_profile)
    with noticing_the_end(spark):
        # The client by itself would try for ten minutes to hear of the server.
        server = within(timing.silence, SERVER, lambda: asked(spark, resource_profile))
        if options and server.local:
            logger.warning("resource_profile is ignored: a local master supports none")
            options = {}
        # A server that this process started sees the same files.
        paths = [path for path in sys.path if path] if "SPARK_LOCAL_REMOTE" in os.environ else []
        evaluation = _spark_task.Evaluation(_spark_task.file_of_job, paths, not server.speculates)
        shipment = Shipment(
            task.objective, evaluation, functools.partial(_send, spark), nearby=is_near(spark)
        )
        watch = Watch(
            SERVER,
            server.slots or count_slots(spark),
            functools.partial(planned_slots, spark, server.cpus),
            spark.interruptTag,
            functools.partial(lost, spark),
            timing,
        )
    queries = Queries(spark, frame, options, watch)
    # Before Spark 4 it is unknown when a query leaves Spark's queue, so none is put there.
    told: Any = queries.progress
    queues = hasattr(spark, "registerProgressHandler") and not server.version.startswith("3")
    if queues:
        spark.registerProgressHandler(told)
    return SparkConnect(task, shipment, queries, watch, server.most, queues)


class Queries:
    """Queries of one task, each under a tag, with a record of those that run.

    Args:
        spark: the session.
        frame: the input of each query, one row.
        options: further arguments of `mapInArrow`.
        watch: notified when the server answers.
    """

    def __init__(self, spark: Any, frame: Any, options: dict[str, Any], watch: Watch) -> None:
        self.spark = spark
        self.running: set[str] = set()
        self._input = frame
        self._options = options
        self._watch = watch
        self._thread = threading.local()

    def run(self, function: Callable[..., Any], tag: str) -> bytes:
        """The bytes that a function on a worker returns."""
        spark = self.spark
        self._thread.tag = tag
        spark.addTag(tag)
        try:
            parts = _parts(self._input.mapInArrow(function, _REPORT, **self._options))
        except Exception as error:
            raise _ending(error) from error
        finally:
            spark.removeTag(tag)
            self.running.discard(tag)
            self._thread.tag = None
        self._watch.answered()
        return b"".join(parts)

    def progress(
        self, stages: Iterable[Any] | None, inflight_tasks: int, operation_id: Any, done: bool
    ) -> None:
        """Handle Spark's progress report of a query, which arrives every few seconds in the thread
        that waits for the query.
        """
        self._watch.answered()
        tag = getattr(self._thread, "tag", None)
        if tag and inflight_tasks:
            self.running.add(tag)
        elif tag:  # it waits, maybe again, as its executor was lost
            self.running.discard(tag)


class SparkConnect:
    """Runs each call as a query of one task. Where Spark reports which of them wait, `queues`, it
    queues what its slots cannot take.
    """

    def __init__(
        self,
        task: Task,
        shipment: Shipment,
        queries: Queries,
        watch: Watch,
        most: int | None,
        queues: bool,
    ) -> None:
        self.queues = queues
        self._task = task
        self._shipment = shipment
        self._queries = queries
        self._watch = watch
        self._most = most

    @property
    def slots(self) -> int:
        """How many tasks the server can run at once: `room`, or where executors come as tasks wait,
        as many as there can be.
        """
        return self.room if self._most is None else self._most

    @property
    def room(self) -> int:
        """How many tasks the server can run at once, as of some seconds ago."""
        return self._watch.room

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A target for threads that inherit the caller's tags."""
        return with_tags(self._queries.spark, target)

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        """Evaluate trials in a query.

        Raises:
            Crashed: the query failed without a report of the worker.
            CancelledOutside: the query was cancelled, and maybe not by us.
            SparkUnavailable: the session has ended, or the connection is lost.
        """
        shipment = self._shipment

        def run(sources: _spark_process.Sources, configs: list[bytes]) -> bytes:
            task = functools.partial(
                _spark_task.run_batches, shipment.code, sources, configs, within
            )
            return self._queries.run(task, tag)

        noticing = functools.partial(noticing_the_end, self._queries.spark)
        return shipment.reports(self._task, trials, noticing, run)

    def running(self) -> set[str]:
        """The tags of the queries whose task has a slot, as of some seconds ago."""
        return set(self._queries.running)

    def lost(self) -> SparkUnavailable | None:
        """The error if the session is gone, or if the server has not answered for too long; else
        None.
        """
        return self._watch.lost()

    def cancel(self, tag: str) -> bool:
        """Cancel the query; Spark ends the worker's process if the task does not stop."""
        self._watch.cancel(tag)
        return True

    def close(self) -> None:
        """Leave the session as it was. Artifacts stay, as Spark cannot remove them before it
        ends.
        """
        self._watch.close()
        self._shipment.close()
        if self.queues:
            self._queries.spark.removeProgressHandler(self._queries.progress)


def _parts(frame: Any) -> list[bytes]:
    """The one column of a frame. `collect` asks the server for a setting first, each time."""
    if hasattr(frame, "toArrow"):  # pyspark 4.0 or newer
        parts: list[bytes] = frame.toArrow().column(0).to_pylist()
        return parts
    return [bytes(row.report) for row in frame.collect()]


def _send(spark: Any, name: str, parts: Sequence[Any]) -> str:
    file = f"{name}.pickle"
    names, sending = _sent.setdefault(spark, (set(), threading.Lock()))
    with sending:
        if file not in names:
            with tempfile.TemporaryDirectory(prefix="sparktune-") as folder:
                path = Path(folder, file)
                with open(path, "wb") as artifact:
                    artifact.writelines(parts)
                spark.addArtifact(str(path), file=True)
            names.add(file)
    return file


def _options(frame: Any, profile: Any) -> dict[str, Any]:
    if profile is None:
        return {}
    if "profile" not in inspect.signature(frame.mapInArrow).parameters:
        raise InvalidArgument(
            "resource_profile on Spark Connect needs pyspark 4.0 or newer, and this is "
            f"{pyspark.__version__}; leave it out, or use a classic session"
        )
    return {"profile": profile}


def _ending(error: Exception) -> Exception:
    if not isinstance(error, PySparkException):  # of gRPC, or in the client
        return Lost(f"the connection to the Spark Connect server broke: {error}")
    return failure_of(str(error).split("JVM stacktrace:")[0])
