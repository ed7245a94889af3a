"""Trials as Spark jobs on Spark Classic: one job with one task each, through a SparkContext."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyspark
from py4j.protocol import Py4JError, Py4JJavaError

from sparktune.errors import SparkUnavailable
from sparktune.executors import _spark_task
from sparktune.executors.pool import Crashed, Lost
from sparktune.executors.spark_failures import STOPPED, explained
from sparktune.executors.spark_session import (
    elastic_slots,
    inheriting,
    is_stopped,
    speculates,
    without_executors,
)
from sparktune.executors.spark_shipping import Shipment, not_configured, unpickled_report
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger("sparktune")


class SparkClassic:
    """Runs each call as a Spark job of one task; Spark queues what its slots cannot take.

    What the caller's thread wants of the JVM is asked for by another thread, as an interrupt in the
    middle of a call would leave its connection with half an answer.

    Args:
        spark: a classic session.
        task: what to evaluate. The objective is pickled here, and shipped to the executors once.
        resource_profile: a pyspark ResourceProfile for the tasks; ignored on a local master,
            which supports none.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel, or Spark has no room for it.
    """

    queues = True

    def __init__(self, spark: SparkSession, task: Task, resource_profile: Any = None) -> None:
        self._context = spark.sparkContext
        self._inheriting = inheriting(spark)
        self._aside = ThreadPoolExecutor(1, "sparktune-classic")
        self._task = task
        conf = self._context.getConf().get
        self._most = elastic_slots(conf)
        self._room, self._room_until = 1, 0.0
        self._broadcasts: list[pyspark.Broadcast[bytes]] = []
        local = str(self._context.master).startswith("local")
        # A local worker sees the same files; local-cluster starts processes, but on this machine
        # too.
        paths = [path for path in sys.path if path] if local else []
        evaluation = _spark_task.Evaluation(
            _spark_task.broadcast_bytes, paths, not speculates(conf)
        )
        self._shipment = Shipment(
            task.objective,
            evaluation,
            self._send,
            folder=str(self._context._temp_dir),
            nearby=local,
            users_variables=True,
        )
        self._input: pyspark.RDD[int] = self._context.parallelize([0], 1)
        if resource_profile is not None and without_executors(str(self._context.master)):
            logger.warning("resource_profile is ignored: a local master supports none")
        elif resource_profile is not None:
            self._input = self._input.withResources(resource_profile)

    @property
    def slots(self) -> int:
        """How many tasks the application can run at once: `room`, or under dynamic allocation as
        many as there can be, as executors come when tasks wait.
        """
        return self.room if self._most is None else self._most

    @property
    def room(self) -> int:
        """How many tasks the application can run at once, as of a second ago at most."""
        now = time.monotonic()
        if now >= self._room_until:
            counting = self._aside.submit(count_slots, self._context, self._input)
            self._room, self._room_until = counting.result(), now + 1.0
        return self._room

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A target for threads that inherit the caller's job group, scheduler pool and other local
        properties.
        """
        return self._inheriting(target)

    def call(self, trial: Trial, tag: str) -> dict[str, Any]:
        """Evaluate one trial as a Spark job.

        Raises:
            Crashed: the job failed without a report of the worker.
            CancelledOutside: the job was cancelled, and maybe not by us.
            SparkUnavailable: the SparkContext has been stopped.
        """
        try:
            config = self._shipment.pickled_config(self._task, trial)
        except Exception as error:
            return not_configured(error)
        shipment = self._shipment

        def run(sources: _spark_task.Sources) -> bytes:
            function = functools.partial(_spark_task.run_rows, shipment.code, sources, config)
            return self._run(function, trial, tag)

        answer = shipment.answer(run)
        try:
            return unpickled_report(answer)
        except Lost:
            if end := self._first_end(tag):
                raise explained(end) from None
            raise

    def started(self, tag: str) -> bool:
        """Whether the job's task has been given a slot."""
        return self._aside.submit(self._has_slot, tag).result()

    def _has_slot(self, tag: str) -> bool:
        try:
            scala = self._context._jsc.sc()
            stages: set[int] = set()
            for job in scala.statusTracker().getJobIdsForTag(tag):
                info = self._context.statusTracker().getJobInfo(job)
                stages.update(info.stageIds if info else ())
            # What the status tracker says of tasks is up to a heartbeat, 10 seconds, old; this
            # is not.
            active = scala.statusStore().activeStages()
            running = (active.apply(i) for i in range(active.size()))
            return any(stage.stageId() in stages and stage.numActiveTasks() for stage in running)
        except (Py4JError, AttributeError):  # Spark has been stopped meanwhile
            return False

    def lost(self) -> SparkUnavailable | None:
        """Never: where Spark is gone every call says so itself."""
        return None

    def cancel(self, tag: str) -> bool:
        """Cancel the job; Spark ends the worker's process if the task goes on."""
        self._aside.submit(self._cancel, tag)
        return True

    def _cancel(self, tag: str) -> None:
        with contextlib.suppress(Py4JError, AttributeError):  # Spark has been stopped meanwhile
            self._context.cancelJobsWithTag(tag)

    def close(self) -> None:
        """Remove what was shipped from the executors."""
        self._room_until = float("inf")
        self._shipment.close()
        self._aside.submit(self._remove).result()
        self._aside.shutdown()

    def _remove(self) -> None:
        if not is_stopped(self._context):
            for broadcast in self._broadcasts:
                broadcast.destroy(blocking=False)

    def _first_end(self, tag: str) -> str:
        """How the first attempt of the last job's task ended, as Spark tells it; "" if unknown."""
        try:
            scala = self._context._jsc.sc()
            job = max(scala.statusTracker().getJobIdsForTag(tag))
            [stage] = self._context.statusTracker().getJobInfo(job).stageIds  # type: ignore[union-attr]
            first = scala.statusStore().taskList(stage, 0, 100).apply(0)
            return str(first.errorMessage().get())
        except (Py4JError, AttributeError, ValueError):  # internal to Spark, as the slots
            return ""

    def _send(self, name: str, parts: Sequence[Any]) -> pyspark.Broadcast[bytes]:
        self._broadcasts.append(self._context.broadcast(b"".join(parts)))
        return self._broadcasts[-1]

    def _run(self, function: Callable[..., Any], trial: Trial, tag: str) -> bytes:
        context = self._context
        try:
            context.setJobDescription(self._task.describe(trial))
            context.addJobTag(tag)
            try:
                [answer] = self._input.mapPartitions(function).collect()
            finally:
                context.removeJobTag(tag)
        except Exception as error:
            if is_stopped(context):
                raise SparkUnavailable(
                    f"the Spark session was stopped while trials were running; {STOPPED}"
                ) from error
            raise _explained(error) from error
        return bytes(answer)


def count_slots(context: Any, rdd: Any) -> int:
    """How many tasks of an RDD the application can run at once now, at least 1."""
    if is_stopped(context):
        return 1
    try:
        scala = context._jsc.sc()
        default = scala.resourceProfileManager().defaultResourceProfile()
        profile = rdd._jrdd.rdd().getResourceProfile() or default
        slots = int(scala.maxNumConcurrentTasks(profile))
    except (Py4JError, AttributeError):  # internal to Spark: may move, or be hidden by the platform
        slots = int(context.defaultParallelism)
    return max(slots, 1)


def _explained(error: Exception) -> Exception:
    if isinstance(error, Py4JJavaError):
        return explained(str(error.java_exception.getMessage()))
    return Crashed(f"the Spark job of this trial failed: {type(error).__name__}: {error}")
