"""Where trials are evaluated: frozen options, opened once a run. Making one starts nothing."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sparktune.arguments import is_whole, positive, whole
from sparktune.errors import InvalidArgument, brief
from sparktune.executors import parts, serial
from sparktune.executors.pool import Pool
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Platform(Protocol):
    """Where the trials of a run are evaluated."""

    @property
    def parallelism(self) -> int | str:
        """The most trials that run at once; "auto" if the platform decides."""

    def open(self, task: Task) -> Executor:
        """What evaluates the trials of one run; whoever opens it closes it."""


@dataclass(frozen=True, slots=True)
class Serial:
    """One trial after the other, in this process. Ctrl-C ends the trial that runs; a time limit
    takes effect between trials.

    Args:
        queue: how many suggestions are made at once, for algorithms that work in generations.

    Raises:
        InvalidArgument: queue is not an integer >= 1.
    """

    queue: int = 1

    def __post_init__(self) -> None:
        whole("queue", self.queue, 1)

    @property
    def parallelism(self) -> int:
        """1."""
        return 1

    def open(self, task: Task) -> Executor:
        """An executor in this thread."""
        return serial.Serial(task, self.queue)


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads of this process.

    For objectives that start Spark jobs of their own, such as Spark ML pipelines: their jobs are
    named after the trial in the Spark UI and cancelled with it. Python code itself cannot be
    interrupted: when a run ends early, what still runs is given up, not awaited.

    Args:
        parallelism: the most trials that run at once.

    Raises:
        InvalidArgument: parallelism is not an integer >= 1.
    """

    parallelism: int = 4

    def __post_init__(self) -> None:
        whole("parallelism", self.parallelism, 1)

    def open(self, task: Task) -> Executor:
        """A pool over threads, which cancel Spark jobs where there is a session."""
        return Pool(_threads(task, self.parallelism), self.parallelism)


@dataclass(frozen=True, slots=True)
class Spark:
    """Spark tasks, each of one trial, or of several that are short. Works with Spark Classic and
    Spark Connect.

    Objectives travel to the workers, so they must not use the SparkSession: see `Threads` for that.
    What a trial writes to stdout and stderr comes back with it, the last 64 kB: `trial.log`.

    Args:
        parallelism: the most trials that run at once; "auto": as many as the cluster has slots.
            Slots that come and go are noticed within seconds. Where Spark allocates executors
            dynamically, "auto" asks for a quarter more than there are, so that Spark adds some
            until it has its `maxExecutors`; a number asks for that many at once.
        trial_timeout: seconds that one trial may run; it is ended then and recorded as failed. The
            start of a new worker process, a second or two, counts as part of its first trial.
            None: no limit.
        retries: how often a trial is evaluated again whose executor, or connection to Spark, was
            lost. What the objective itself does (raise, exit, run out of time) is never retried.
        session: a Spark session, classic or Connect; None: the active one, or a new one with
            Spark's own settings. Pickles leave it out, and the resource profile.
        resource_profile: a `pyspark.resource.ResourceProfile` with the CPUs and GPUs of one trial,
            such as `ResourceProfileBuilder().require(TaskResourceRequests().cpus(4)).build`; None:
            a trial has `spark.task.cpus`, 1 by default. See `SparkTrials`.
        batch: how many trials share a Spark job, one after the other. A job costs tens of
            milliseconds, so "auto" lets trials that are much shorter than a second share one that
            lasts about 0.3 seconds, as more and more end, and never with parallelism=1; a number
            fixes it, and 1 gives each trial a job of its own. With k trials in a job suggestions
            are made as far ahead as with k times the parallelism, and are as good; "auto" makes at
            most an eighth as many ahead as there are results, unless suggestions do not depend on
            these, as in random search. It uses fewer slots, at least two, where these few trials
            take less than 20 ms a job. Results of a job come when it ends. A crash or a time limit
            costs its own trial: those that shared the job are evaluated again, each in one of its
            own, which `retries` does not count.

    Raises:
        InvalidArgument: an option is out of range.
    """

    parallelism: int | str = "auto"
    trial_timeout: float | None = None
    retries: int = 1
    session: SparkSession | None = None
    resource_profile: Any = None
    batch: int | str = "auto"

    def __post_init__(self) -> None:
        if self.parallelism != "auto" and not (
            is_whole(self.parallelism) and int(self.parallelism) >= 1
        ):
            raise InvalidArgument(
                'parallelism must be an integer >= 1, or "auto" for all slots of the cluster, '
                f"got {brief(self.parallelism)}"
            )
        positive("trial_timeout", self.trial_timeout)
        whole("retries", self.retries, 0)
        if self.batch != "auto" and not (is_whole(self.batch) and int(self.batch) >= 1):
            raise InvalidArgument(
                'batch must be an integer >= 1, or "auto" to let short trials share Spark jobs, '
                f"got {brief(self.batch)}"
            )
        if self.resource_profile is not None and not hasattr(
            self.resource_profile, "taskResources"
        ):
            raise InvalidArgument(
                "resource_profile must be a pyspark.resource.ResourceProfile, made by "
                f"ResourceProfileBuilder().require(...).build; got {self.resource_profile!r}"
            )

    def __reduce__(self) -> Any:
        """Without what lives in the JVM."""
        kept = self.parallelism, self.trial_timeout, self.retries, None, None, self.batch
        return type(self), kept

    def open(self, task: Task) -> Executor:
        """A pool over Spark jobs.

        Raises:
            SparkUnavailable: there is no pyspark, no Java, or no usable session.
        """
        parallelism = None if self.parallelism == "auto" else int(self.parallelism)
        transport = _transport(session_of(self.session), task, self.resource_profile)
        batch = None if self.batch == "auto" else int(self.batch)
        return Pool(transport, parallelism, self.trial_timeout, self.retries, batch)


@dataclass(frozen=True, slots=True)
class Parts:
    """Trials in parts, such as the folds of a cross-validation, on another platform.

        def objective(config, part):
            return loss_of_fold(config, folds[part])

        tune(objective, space, on=Parts(Spark(8), 5), max_trials=50)

    The parts are evaluated in parallel, so that a few trials fill many slots. If a part raises,
    crashes or runs out of time, its trial ends, and the other parts are cancelled. Limits and
    retries of the other platform apply to each part.

    Args:
        on: the platform that evaluates the parts.
        n: number of parts of a trial. The objective is called with the configuration and `part`, an
            integer from 0 to n - 1.
        merge: a function of the list of outcomes of all parts, in their order, that returns a loss
            or a dict, as an objective does. Default: the mean of the losses.

    Raises:
        InvalidArgument: an argument is wrong.
    """

    on: Platform
    n: int
    merge: parts.Merge = parts.mean

    def __post_init__(self) -> None:
        whole("n", self.n, 1)
        if isinstance(self.on, type) or not callable(getattr(self.on, "open", None)):
            raise InvalidArgument(
                f"on must be Serial(), Threads(4) or Spark(parallelism=8), got {self.on!r}"
            )
        if not callable(self.merge):
            raise InvalidArgument(
                "merge must be a function of the outcomes of a trial's parts, such as "
                f"sparktune.executors.parts.mean, got {self.merge!r}"
            )

    @property
    def parallelism(self) -> int | str:
        """The most trials that are needed to fill the other platform, when one of them has only one
        part left; "auto" if that platform decides.
        """
        slots = self.on.parallelism
        return slots if isinstance(slots, str) else 1 + math.ceil((slots - 1) / self.n)

    def open(self, task: Task) -> Executor:
        """The other platform's executor, which gets the parts."""
        return parts.Parts(self.on.open(parts.in_parts(task)), self.n, self.merge)


def here_or_spark(parallelism: int | None = None) -> Platform:
    """Spark, with that many trials at once (None or below 1: as many as there are slots); this
    process where it evaluates a Spark task, and so cannot start others.
    """
    spark = sys.modules.get("pyspark")
    if spark is not None and spark.TaskContext.get() is not None:
        return Serial()
    return Spark("auto" if parallelism is None or parallelism < 1 else parallelism)


def session_of(spark: SparkSession | None) -> SparkSession:
    """The session to use; where none is given, the active one, or a new one.

    Raises:
        InvalidArgument: it is not a session.
        SparkUnavailable: there is no pyspark, no Java, or the session cannot be used.
    """
    from sparktune.executors.spark_session import start, usable

    return usable(start({}) if spark is None else spark)


def _transport(spark: SparkSession, task: Task, resource_profile: Any) -> Any:
    """The transport to Spark's workers for this kind of session."""
    from sparktune.executors.spark_session import is_connect

    if is_connect(spark):
        from sparktune.executors.spark_connect import open_connect

        return open_connect(spark, task, resource_profile)
    from sparktune.executors.spark_classic import open_classic

    return open_classic(spark, task, resource_profile)


def _threads(task: Task, parallelism: int) -> Any:
    """Threads that cancel Spark jobs where there is a session, plain threads elsewhere."""
    from sparktune.executors.threads import Threads

    if "pyspark" not in sys.modules:
        return Threads(task, parallelism)
    from sparktune.executors.spark_session import active_classic, active_connect

    if connected := active_connect():
        from sparktune.executors.spark_connect_threads import SparkConnectThreads

        return SparkConnectThreads(connected, task, parallelism)
    from sparktune.executors.spark_threads import SparkThreads

    spark = active_classic()
    return Threads(task, parallelism) if spark is None else SparkThreads(spark, task, parallelism)
