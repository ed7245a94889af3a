"""`SparkTrials` and `ThreadTrials`: trials evaluated in parallel, as Spark tasks or on threads."""

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
        parallelism: the largest number of trials that run at once; "auto" or None: the number of
            slots of the cluster, whose changes are noticed within seconds. With dynamic allocation,
            "auto" requests a quarter more slots than there are, so that Spark adds executors up to
            its `maxExecutors`; a number requests that many slots immediately.
        timeout: seconds after which a run ends; trials that still run are cancelled.
        loss_threshold: a run ends once a trial's loss is below this threshold.
        spark_session: a Spark session, classic or Connect; None: the active session, or a new
            session with Spark's default settings.
        resource_profile: a `pyspark.resource.ResourceProfile` with the CPUs and GPUs of one trial,
            such as `ResourceProfileBuilder().require(TaskResourceRequests().cpus(4)).build`; None:
            a trial has `spark.task.cpus` CPUs, 1 by default. The more CPUs a trial has, the fewer
            trials run at once, which parallelism="auto" takes into account. Spark sets
            OMP_NUM_THREADS of the workers, which limits the threads of numpy and most libraries, to
            the CPUs of a trial (before Spark 4.3 to `spark.task.cpus` even with a profile), unless
            `spark.executorEnv.OMP_NUM_THREADS` is set. Options such as `n_jobs` must be set by the
            objective. A profile with executor resources needs dynamic allocation. Local masters
            ignore profiles, with a warning; Spark Connect needs pyspark 4.0 or newer for them.
        trial_timeout: seconds that a trial may run; it is then stopped and recorded as failed. The
            start of a new worker process, 1-2 s, counts as part of its first trial.
        retries: how often a trial is evaluated again after its executor, or the connection to
            Spark, was lost. Trials whose objective raises, exits or times out are not retried.
        deterministic: make the trials depend on the seed alone and not on timing. Trial k is
            suggested from exactly the results of the trials up to k - parallelism. It starts when
            these trials have ended, so a slow trial delays others. Needs `parallelism`.
        batch: number of trials that share a Spark job. "auto": several while trials are much
            shorter than a second; suggestions are then made further ahead, as `sparktune.Spark`
            explains. 1: one job for each trial.

    A trial that raises, crashes or times out is recorded, and the run continues, with or without
    `catch_eval_exceptions`. Objectives are sent to the workers, so they must not use the
    SparkSession; use `ThreadTrials` for such objectives. Each trial gets its own copy of the
    objective and the parameters, but large arrays are not copied (see `share`). The last 64 kB that
    a trial writes to stdout and stderr, by `print` or logging, are in its record:
    `trials.records[3].log`.

    Raises:
        InvalidArgument: an argument is out of range.
        SparkUnavailable: pyspark or Java is not installed, or there is no usable session.
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
        """Leave out objects of the JVM; the session is looked up again when it is needed."""
        return super().__getstate__() | {"_spark": None, "resource_profile": None}

    def platform(self, queue: int = 1) -> Spark:
        """Return a Spark platform with a session that is not stopped."""
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

    Use it for objectives that start Spark jobs of their own, such as Spark ML pipelines. These jobs
    are named after the trial in the Spark UI and cancelled with it. Python code cannot be
    interrupted: when a run ends early, it does not wait for trials that still run. Failures are
    recorded, and the run continues, as with `SparkTrials`.

    Args:
        parallelism: the largest number of trials that run at once.
        deterministic: make the trials depend on the seed alone and not on timing, as with
            `SparkTrials`.
    """

    asynchronous = True
    catches_errors = True

    def __init__(self, parallelism: int = 4, deterministic: bool = False) -> None:
        super().__init__()
        self.parallelism = whole("parallelism", parallelism, 1)
        self.lag = lag_of(deterministic, self.parallelism, _EXAMPLE)

    def platform(self, queue: int = 1) -> Threads:
        """Return a platform that evaluates trials on threads of this process."""
        return Threads(self.parallelism)


def parallelism_of(parallelism: Any) -> int | None:
    """Check parallelism; returns None for the number of slots, which is also the meaning of 0 and
    negative numbers in Hyperopt.

    Raises:
        InvalidArgument: parallelism is not an integer, "auto" or None.
    """
    if parallelism is None or parallelism == "auto":
        return None
    if not is_whole(parallelism):
        raise InvalidArgument(
            'parallelism must be an integer >= 1, or "auto" for all slots of the cluster, got '
            f"{brief(parallelism)}; give a session as spark_session="
        )
    if parallelism <= 0:
        logger.warning("parallelism=%d: using as many slots as the cluster has", parallelism)
        return None
    return operator.index(parallelism)
