"""Trials as Spark jobs on Spark Classic: jobs of one task, through a SparkContext."""

from __future__ import annotations

import base64
import contextlib
import functools
import logging
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyspark
from py4j.protocol import Py4JJavaError

from sparktune.errors import SparkUnavailable
from sparktune.executors import _spark_process, _spark_task
from sparktune.executors._calls import USUAL, Timing
from sparktune.executors._watch import Watch, within
from sparktune.executors.seams import Crashed, Lost
from sparktune.executors.spark_classic_context import (
    count_slots,
    first_end,
    noticing_the_end,
    running_tags,
)
from sparktune.executors.spark_failures import failure_of, stopped
from sparktune.executors.spark_session import (
    elastic_slots,
    inheriting,
    is_stopped,
    speculates,
    without_executors,
)
from sparktune.executors.spark_shipping import MUCH, Shipment
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

logger = logging.getLogger("sparktune")

JVM = "Spark's JVM"
_AT_ONCE = 1.0  # seconds that the caller's thread waits for an answer
_SMALL = 2**14  # bytes that a local property of a job may have
_LOOK = 1.0  # seconds between counts of the slots


def open_classic(
    spark: SparkSession, task: Task, resource_profile: Any = None, timing: Timing = USUAL
) -> SparkClassic:
    """Ship the objective to the executors, and get ready to run trials.

    Args:
        spark: a classic session.
        task: what to evaluate. The objective is pickled here, and shipped to the executors once.
        resource_profile: a pyspark ResourceProfile for the tasks; ignored on a local master,
            which supports none.
        timing: how long to wait for what.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel, or Spark has no room for it.
        SparkUnavailable: the session is stopped, or its JVM is gone or does not answer.
    """
    context = spark.sparkContext
    if within(timing.silence, JVM, lambda: is_stopped(context)):
        raise stopped()
    with noticing_the_end(context):
        conf = context.getConf().get
        local = str(context.master).startswith("local")
        # A local worker sees the same files; local-cluster starts processes, but on this machine
        # too.
        paths = [path for path in sys.path if path] if local else []
        evaluation = _spark_task.Evaluation(
            _spark_task.broadcast_bytes, paths, not speculates(conf)
        )
        broadcasts = Broadcasts(context)
        shipment = Shipment(
            task.objective,
            evaluation,
            broadcasts.send,
            folder=str(context._temp_dir),
            nearby=local,
            users_variables=True,
        )
        rdd: pyspark.RDD[int] = context.parallelize([0], 1)
        if resource_profile is not None and without_executors(str(context.master)):
            logger.warning("resource_profile is ignored: a local master supports none")
        elif resource_profile is not None:
            rdd = rdd.withResources(resource_profile)
        most, bind = elastic_slots(conf), inheriting(spark)
        watch = Watch(
            JVM,
            count_slots(context, rdd),
            functools.partial(count_slots, context, rdd),
            context.cancelJobsWithTag,
            lambda error: stopped() if is_stopped(context) else None,
            replace(timing, look=min(timing.look, _LOOK)),
        )
    return SparkClassic(context, task, shipment, broadcasts, rdd, watch, most, bind)


class SparkClassic:
    """Runs each call as a Spark job of one task; Spark queues what its slots cannot take.

    Another thread asks for what the caller's thread needs from the JVM, as an interrupt in the
    middle of a call would leave its connection with half an answer, and as the JVM may stand still.
    """

    queues = True

    def __init__(
        self,
        context: SparkContext,
        task: Task,
        shipment: Shipment,
        broadcasts: Broadcasts,
        rdd: pyspark.RDD[int],
        watch: Watch,
        most: int | None,
        bind: Callable[[Callable[[], None]], Callable[[], None]],
    ) -> None:
        self._context = context
        self._task = task
        self._shipment = shipment
        self._broadcasts = broadcasts
        self._input = rdd
        self._watch = watch
        self._most = most
        self._inheriting = bind
        self._prepared = threading.local()

    @property
    def slots(self) -> int:
        """How many tasks the application can run at once: `room`, or under dynamic allocation as
        many as there can be, as executors come when tasks wait.
        """
        return self.room if self._most is None else self._most

    @property
    def room(self) -> int:
        """How many tasks the application can run at once, as of a second ago."""
        return self._watch.room

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A target for threads that inherit the caller's job group, scheduler pool and other local
        properties.
        """
        return self._inheriting(target)

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        """Evaluate trials in a Spark job.

        Raises:
            Crashed: the job failed without a report of the worker.
            CancelledOutside: the job was cancelled, and maybe not by us.
            SparkUnavailable: the SparkContext has been stopped.
        """
        shipment, noticing = self._shipment, functools.partial(noticing_the_end, self._context)
        described = self._task.describe(*trials)

        def run(sources: _spark_process.Sources, configs: list[bytes]) -> bytes:
            given = pickle.dumps((configs, within))
            if len(given) <= _SMALL:
                return self._run(self._usual(sources), described, tag, given)
            with self._broadcasts.lent(given) as carried:
                return self._run(self._mapped(sources, carried), described, tag)

        try:
            return shipment.reports(self._task, trials, noticing, run)
        except Lost:
            with noticing():
                if end := first_end(self._context, tag):
                    raise failure_of(end) from None
            raise

    def running(self) -> set[str] | None:
        """The tags of the jobs whose task has a slot now; None if the JVM does not say at once."""
        return self._watch.ask(functools.partial(running_tags, self._context), _AT_ONCE)

    def lost(self) -> SparkUnavailable | None:
        """The error if Spark is gone, or if its JVM has not answered for too long; else None."""
        return self._watch.lost()

    def cancel(self, tag: str) -> bool:
        """Cancel the job; Spark ends the worker's process if the task does not stop."""
        self._watch.cancel(tag)
        return True

    def close(self) -> None:
        """Remove the broadcasts from the executors, as soon as the JVM answers."""
        self._shipment.close()
        self._watch.ask(self._broadcasts.destroy, _AT_ONCE)
        self._watch.close()

    def _mapped(self, sources: _spark_process.Sources, given: Any) -> pyspark.RDD[bytes]:
        task = functools.partial(_spark_task.run_rows, self._shipment.code, sources, given)
        return self._input.mapPartitions(task)

    def _usual(self, sources: _spark_process.Sources) -> pyspark.RDD[bytes]:
        """What most jobs of this thread compute. They differ in a local property alone, so that the
        function is pickled, and an RDD made in the JVM, only once. Threads do not share one: when a
        job fails, Spark fails all jobs whose last RDD is the same one (`stageDependsOn` in its
        DAGScheduler).
        """
        own = self._prepared.__dict__
        if own.get("sources") is not sources:
            own.update(sources=sources, rdd=self._mapped(sources, None))
        rdd: pyspark.RDD[bytes] = own["rdd"]
        return rdd

    def _run(
        self, rdd: pyspark.RDD[bytes], described: str, tag: str, given: bytes | None = None
    ) -> bytes:
        context = self._context
        carried: Any = None if given is None else base64.b64encode(given).decode()
        try:
            context.setJobDescription(described)
            context.setLocalProperty(_spark_task.GIVEN, carried)
            context.addJobTag(tag)
            try:
                [answer] = rdd.collect()
            finally:
                context.removeJobTag(tag)
        except Exception as error:
            raise _ending(error) from error
        self._watch.answered()
        return bytes(answer)


class Broadcasts:
    """The broadcasts that were sent to the executors."""

    def __init__(self, context: SparkContext) -> None:
        self._context = context
        self._sent: list[pyspark.Broadcast[bytes]] = []

    def send(self, name: str, parts: Sequence[Any]) -> pyspark.Broadcast[bytes]:
        """Send bytes, given in parts."""
        self._sent.append(self._context.broadcast(b"".join(parts)))
        return self._sent[-1]

    @contextlib.contextmanager
    def lent(self, content: bytes) -> Iterator[pyspark.Broadcast[bytes] | bytes]:
        """The content for one job, as a broadcast if it is large, which is removed after the job. A
        large closure would stay, because Spark broadcasts it itself.
        """
        if len(content) <= MUCH:
            yield content
            return
        broadcast = self._context.broadcast(content)
        try:
            yield broadcast
        finally:
            with contextlib.suppress(Exception):  # Spark was stopped
                broadcast.destroy(blocking=False)

    def destroy(self) -> None:
        """Remove all broadcasts."""
        for broadcast in self._sent:
            broadcast.destroy(blocking=False)


def _ending(error: Exception) -> Exception:
    if isinstance(error, Py4JJavaError):
        return failure_of(str(error.java_exception.getMessage()))
    return Crashed(f"the Spark job of this trial failed: {type(error).__name__}: {error}")
