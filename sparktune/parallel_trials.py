"""Trials that run several at once: as Spark tasks, and on threads of the driver."""

from __future__ import annotations

import logging
import operator
from typing import TYPE_CHECKING, Any

from sparktune.arguments import is_whole, numeric, positive, whole
from sparktune.errors import InvalidArgument, brief
from sparktune.executors.platforms import Spark, Threads, session_of
from sparktune.options import lag_of
from sparktune.trials import Trials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger("sparktune")

_EXAMPLE = "SparkTrials(parallelism=8, deterministic=True)"


class SparkTrials(Trials):
    """Trials evaluated as Spark tasks, several at once.

    Args:
        parallelism: the most trials that run at once; "auto" or None: as many as the cluster has
            slots. Slots that come and go are noticed within seconds. Where Spark allocates
            executors dynamically, "auto" asks for a quarter more than there are, so that Spark adds
            some until it has its `maxExecutors`; a number asks for that many at once.
        timeout: seconds after which a run ends; what still runs then is cancelled.
        loss_threshold: a run ends once a trial's loss is below it.
        spark_session: a Spark session, classic or Connect; None: the active one, or a new one with
            Spark's own settings.
        resource_profile: a `pyspark.resource.ResourceProfile` with the CPUs and GPUs of one trial,
            such as `ResourceProfileBuilder().require(TaskResourceRequests().cpus(4)).build`; None:
            a trial has `spark.task.cpus`, 1 by default. With more, fewer trials run at once, and
            parallelism="auto" counts them so. Spark sets OMP_NUM_THREADS of the workers, and with
            it the threads of numpy and most libraries, to the CPUs of a trial, before Spark 4.3 to
            `spark.task.cpus` also with a profile, unless `spark.executorEnv.OMP_NUM_THREADS` is
            set; what takes a number of its own, such as `n_jobs`, is up to the objective. A profile
            that also has executor resources needs dynamic allocation. Local masters ignore
            profiles, with a warning; on Spark Connect they need pyspark 4.0 or newer.
        trial_timeout: seconds that one trial may run; it is ended then and recorded as failed. The
            start of a new worker process, a second or two, counts as part of its first trial.
        retries: how often a trial is evaluated again whose executor, or connection to Spark, was
            lost. What the objective itself does (raise, exit, run out of time) is never retried.
        deterministic: make the trials depend on the seed alone and not on the timing: trial k is
            suggested from the results of exactly the trials up to k - parallelism. It starts when
            these have ended, so a slow trial delays others. Needs `parallelism`.
        batch: how many trials share a Spark job; "auto": several while they are much shorter than a
            second, so that `fmin` suggests ahead as with as many times the parallelism; 1: each
            trial has a job of its own. See `sparktune.Spark`.

    A trial that raises, crashes or runs out of time is recorded and the run continues;
    `catch_eval_exceptions` makes no difference. Objectives travel to the workers, so they must not
    use the SparkSession: see `ThreadTrials` for that. Each trial has an objective and parameters of
    its own, without copies of large arrays (see `share`). What a trial writes to stdout and stderr,
    by `print` or by logging, comes back with it, the last 64 kB: `trials.records[3].log`.

    Raises:
        InvalidArgument: an argument is out of range.
        SparkUnavailable: there is no pyspark, no Java, or no usable session.
    """

    asynchronous = True
    catches_errors = True

    def __init__(
        self,
        parallelism: int | str | None = None,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        spark_session: SparkSession | None = None,
        resource_profile: Any = None,
        trial_timeout: float | None = None,
        retries: int = 1,
        deterministic: bool = False,
        batch: int | str = "auto",
    ) -> None:
        super().__init__()
        self.parallelism = parallelism_of(parallelism)
        self.lag = lag_of(deterministic, self.parallelism, _EXAMPLE)
        self.timeout = positive("timeout", timeout)
        self.loss_threshold = numeric("loss_threshold", loss_threshold)
        self.trial_timeout = positive("trial_timeout", trial_timeout)
        self.retries, self.resource_profile, self.batch = retries, resource_profile, batch
        Spark("auto", trial_timeout, retries, None, resource_profile, batch)  # may refuse
        self._spark = session_of(spark_session)

    def __getstate__(self) -> dict[str, Any]:
        """Without what lives in the JVM; a session is found again when it is needed."""
        return super().__getstate__() | {"_spark": None, "resource_profile": None}

    def platform(self, queue: int = 1) -> Spark:
        """Spark, with a session that has not stopped."""
        from sparktune.executors.spark_session import has_stopped

        stopped = self._spark is not None and has_stopped(self._spark)
        self._spark = session_of(None if stopped else self._spark)
        return Spark(
            self.parallelism or "auto",
            self.trial_timeout,
            self.retries,
            self._spark,
            self.resource_profile,
            self.batch,
        )


class ThreadTrials(Trials):
    """Trials evaluated on threads of this process, several at once.

    For objectives that start Spark jobs of their own, such as Spark ML pipelines: their jobs are
    named after the trial in the Spark UI and cancelled with it. Python code itself cannot be
    interrupted: when a run ends early, what still runs is given up, not awaited. Failures are
    recorded and the run continues, as with `SparkTrials`.

    Args:
        parallelism: the most trials that run at once.
        deterministic: make the trials depend on the seed alone and not on the timing, as with
            `SparkTrials`.
    """

    asynchronous = True
    catches_errors = True

    def __init__(self, parallelism: int = 4, deterministic: bool = False) -> None:
        super().__init__()
        self.parallelism = whole("parallelism", parallelism, 1)
        self.lag = lag_of(deterministic, self.parallelism, _EXAMPLE)

    def platform(self, queue: int = 1) -> Threads:
        """Threads of this process."""
        return Threads(self.parallelism)


def parallelism_of(parallelism: Any) -> int | None:
    """None for 'as many as there are slots', which Hyperopt's users also write as 0 or -1."""
    if parallelism is None or parallelism == "auto":
        return None
    if not is_whole(parallelism):
        raise InvalidArgument(
            'parallelism must be an integer >= 1, or "auto" for all slots of the cluster, got '
            f"{brief(parallelism)}; a session goes to spark_session="
        )
    if parallelism <= 0:
        logger.warning("parallelism=%d: using as many slots as the cluster has", parallelism)
        return None
    return operator.index(parallelism)
