"""Trials as Spark jobs on Spark Classic: one job with one task each, through a SparkContext."""

from __future__ import annotations

import contextlib
import functools
import logging
import pickle
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyspark
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import cloudpickle

from sparktune import worker
from sparktune.errors import ObjectiveNotPicklable, SparkUnavailable
from sparktune.executors import _spark_task
from sparktune.executors.pool import CancelledOutside, Crashed
from sparktune.executors.spark_session import inheriting, is_stopped
from sparktune.executors.task import Task
from sparktune.trial import Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger("sparktune")

UNLIMITED = 1_000_000
_LARGE = 2**20  # bytes; Spark writes larger closures to disk, anew for every job

for _module in (worker, _spark_task):
    cloudpickle.register_pickle_by_value(_module)


class SparkClassic:
    """Runs each call as a Spark job of one task; Spark queues what its slots cannot take.

    Args:
        spark: a classic session.
        task: what to evaluate. The objective is pickled here, and shipped to the executors once.
        resource_profile: a pyspark ResourceProfile for the tasks; ignored on a local master,
            which supports none.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel.
    """

    queues = True

    def __init__(self, spark: SparkSession, task: Task, resource_profile: Any = None) -> None:
        self._spark = spark
        self._context = spark.sparkContext
        self._task = task
        self._most = elastic_slots(self._context)
        self._slots, self._slots_until = 1, 0.0
        self._warned = False
        local = str(self._context.master).startswith("local")
        # A local worker sees the same files; local-cluster starts processes, but on this machine
        # too.
        pickled = _pickled(task.objective)
        shipped = _spark_task.Shipped(pickled, [p for p in sys.path if p] if local else [])
        self._shipped = self._context.broadcast(_spark_task.Envelope(cloudpickle.dumps(shipped)))
        self._input: pyspark.RDD[int] = self._context.parallelize([0], 1)
        if resource_profile is not None and local:
            logger.warning("resource_profile is ignored: a local master supports none")
        elif resource_profile is not None:
            self._input = self._input.withResources(resource_profile)

    @property
    def slots(self) -> int:
        """How many tasks the application can run at once, as of a second ago at most.

        Under dynamic allocation, as many as there can be: executors come when tasks wait.
        """
        if self._most is not None:
            return self._most
        now = time.monotonic()
        if now >= self._slots_until:
            self._slots, self._slots_until = count_slots(self._context), now + 1.0
        return self._slots

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        """A thread's target that inherits the caller's job group, scheduler pool and other local
        properties.
        """
        return inheriting(self._spark, target)

    def call(self, trial: Trial, tag: str) -> dict[str, Any]:
        """Evaluate one trial as a Spark job.

        Raises:
            Crashed: the job failed without a report of the worker.
            CancelledOutside: the job was cancelled, and maybe not by us.
            SparkUnavailable: the SparkContext has been stopped.
        """
        started = time.time()
        try:
            config = cloudpickle.dumps(self._task.configure(trial))
        except Exception as error:
            report = worker.failed(error) | {"started": started, "finished": time.time()}
            report.pop("exception")
            return report
        if len(config) > _LARGE and not self._warned:
            self._warned = True
            logger.warning(
                "the parameters of a trial take %d MB, which travel with every trial: let the "
                "objective refer to large data, not the space",
                len(config) >> 20,
            )
        answer = self._run(functools.partial(_spark_task.run, self._shipped, config), trial, tag)
        try:
            received: dict[str, Any] = pickle.loads(answer)
        except Exception as error:
            raise Crashed(
                f"the objective's result cannot be loaded in the driver: {error}"
            ) from error
        return received

    def started(self, tag: str) -> bool:
        """Whether the job's task has been given a slot."""
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

    def cancel(self, tag: str) -> bool:
        """Cancel the job; Spark ends the worker's process if the task goes on."""
        with contextlib.suppress(Py4JError, AttributeError):  # Spark has been stopped meanwhile
            self._context.cancelJobsWithTag(tag)
        return True

    def close(self) -> None:
        """Remove the objective from the executors."""
        if not is_stopped(self._context):
            self._shipped.destroy(blocking=False)

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
                    "the Spark session was stopped while trials were running; "
                    "finished trials are kept, start a session and call fmin again to go on"
                ) from error
            raise _explained(error) from error
        return bytes(answer)


def elastic_slots(context: Any) -> int | None:
    """The most tasks that dynamic allocation can make room for; None where it is off."""
    conf = context.getConf()
    if conf.get("spark.dynamicAllocation.enabled", "false").lower() != "true":
        return None
    executors = conf.get("spark.dynamicAllocation.maxExecutors", "infinity")
    if not executors.isdigit():
        return UNLIMITED
    cores = int(conf.get("spark.executor.cores", "1")) // int(conf.get("spark.task.cpus", "1"))
    return min(int(executors) * max(cores, 1), UNLIMITED)


def count_slots(context: Any) -> int:
    """How many tasks of the default profile the application can run at once now, at least 1."""
    if is_stopped(context):
        return 1
    try:
        scala = context._jsc.sc()
        profile = scala.resourceProfileManager().defaultResourceProfile()
        slots = int(scala.maxNumConcurrentTasks(profile))
    except (Py4JError, AttributeError):  # internal to Spark: may move, or be hidden by the platform
        slots = int(context.defaultParallelism)
    return max(slots, 1)


def _pickled(objective: Callable[[Any], Any]) -> bytes:
    try:
        return bytes(cloudpickle.dumps(objective))
    except Exception as error:
        text = str(error)
        hint = (
            "It refers to Spark itself, which exists only on the driver: use ThreadTrials "
            "for objectives that start Spark jobs."
            if "Spark" in text or "CONTEXT_ONLY_VALID_ON_DRIVER" in text or "py4j" in text
            else "Create what cannot be pickled (connections, locks, open files) inside it."
        )
        raise ObjectiveNotPicklable(
            f"the objective cannot be sent to Spark workers: {type(error).__name__}: {text}. {hint}"
        ) from error


def _explained(error: Exception) -> Exception:
    """What a failed job means for its trial."""
    if not isinstance(error, Py4JJavaError):
        return Crashed(f"the Spark job of this trial failed: {type(error).__name__}: {error}")
    message = str(error.java_exception.getMessage())
    if "SPARK_JOB_CANCELLED" in message or "cancelled" in message.split("\n")[0]:
        return CancelledOutside(f"its Spark job was cancelled: {_first_lines(message)}")
    if "Python worker exited unexpectedly" in message:
        return Crashed(
            "the Python process that ran this trial died: it called os._exit, was killed by "
            "a signal "
            "(as by the out-of-memory killer), or crashed in native code"
        )
    return Crashed(f"the Spark job of this trial failed: {_first_lines(message)}")


def _first_lines(message: str) -> str:
    lines = [line for line in message.splitlines() if not line.lstrip().startswith("at ")]
    return "\n".join(lines[:20])
