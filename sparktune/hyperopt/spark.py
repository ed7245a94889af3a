"""`SparkTrials` with Hyperopt's attributes, limit on parallelism and log messages."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

from sparktune import loop, parallel_trials
from sparktune.documents import Document, TrialAttachments
from sparktune.errors import SparkUnavailable
from sparktune.events import Event, Stopped, Told
from sparktune.history import View
from sparktune.hyperopt._store import Store
from sparktune.hyperopt._trials import Trials
from sparktune.trial import JOB_STATE_CANCEL, JOB_STATE_DONE, JOB_STATE_ERROR, Status

__all__ = [
    "FMIN_CANCELLED_REASON_EARLY_STOPPING",
    "FMIN_CANCELLED_REASON_TIMEOUT",
    "FMIN_CANCELLED_REASON_USER",
    "SparkTrials",
]

logger = logging.getLogger("hyperopt-spark")

_have_spark = find_spec("pyspark") is not None  # some programs set it

FMIN_CANCELLED_REASON_EARLY_STOPPING = "early stopping condition"
FMIN_CANCELLED_REASON_TIMEOUT = "fmin run timeout"
FMIN_CANCELLED_REASON_USER = "fmin run cancelled by user"

_REASONS = {
    "early stopping condition": FMIN_CANCELLED_REASON_EARLY_STOPPING,
    "no progress": FMIN_CANCELLED_REASON_EARLY_STOPPING,
    "timeout": FMIN_CANCELLED_REASON_TIMEOUT,
    loop.INTERRUPTED: FMIN_CANCELLED_REASON_USER,
}


class SparkTrials(Trials, parallel_trials.SparkTrials):
    """Trials evaluated as Spark tasks, several at once, like `sparktune.SparkTrials`.

    Args:
        parallelism: the largest number of trials that run at once, at most
            `MAX_CONCURRENT_JOBS_ALLOWED`. None or less than 1: Spark's default parallelism. "auto":
            the number of slots of the cluster.
        timeout, loss_threshold, spark_session, resource_profile, trial_timeout, retries,
            deterministic, batch: as in `sparktune.SparkTrials`.

    In contrast to Hyperopt's class, these trials can be pickled, and a run can be continued after a
    timeout or an interrupt. `fmin(timeout=)` applies to that call only. Attachments work.
    `catch_eval_exceptions` is ignored.
    """

    MAX_CONCURRENT_JOBS_ALLOWED = 128
    """The limit on parallelism. Hyperopt starts a thread and a Spark job for each trial, as does
    sparktune. Set a higher limit for a larger cluster.
    """

    _traceback_in_error = True

    def __init__(
        self,
        parallelism: Any = None,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        spark_session: Any = None,
        resource_profile: Any = None,
        trial_timeout: float | None = None,
        retries: int = 1,
        deterministic: bool = False,
        batch: int | str = "auto",
    ) -> None:
        if not _have_spark:
            raise SparkUnavailable(
                "SparkTrials cannot import pyspark classes; install pyspark, or use the Python "
                "environment that Spark uses"
            )
        parallel_trials.SparkTrials.__init__(
            self,
            parallelism,
            timeout,
            loss_threshold,
            spark_session,
            resource_profile,
            trial_timeout,
            retries,
            deterministic,
            batch,
        )
        self._open(None, Store())
        self.user_specified_parallelism = parallelism
        default = getattr(self._spark_context, "defaultParallelism", None)
        if parallelism != "auto" and (default is not None or self.parallelism is not None):
            self.parallelism = self._decide_parallelism(parallelism, default or 1)
        self._fmin_cancelled = False
        self._fmin_cancelled_reason: str | None = None

    def __str__(self) -> str:
        return f"SparkTrials(trials={self.trials})"

    @classmethod
    def _decide_parallelism(
        cls, requested_parallelism: int | None, spark_default_parallelism: int
    ) -> int:
        """Return the parallelism to use for a requested parallelism."""
        wanted = requested_parallelism
        if wanted is None or wanted <= 0:
            wanted = max(spark_default_parallelism, 1)
            logger.warning(
                "Because the requested parallelism was None or a non-positive value, "
                "parallelism will be set to (%d): Spark's default, at least 1. Set parallelism "
                "yourself, because the number of task slots depends on the size of the cluster.",
                wanted,
            )
        if wanted > cls.MAX_CONCURRENT_JOBS_ALLOWED:
            logger.warning(
                "parallelism (%d) is larger than SparkTrials.MAX_CONCURRENT_JOBS_ALLOWED (%d), "
                "which is used instead; set that attribute of the class to a larger number.",
                wanted,
                cls.MAX_CONCURRENT_JOBS_ALLOWED,
            )
            wanted = cls.MAX_CONCURRENT_JOBS_ALLOWED
        return wanted

    @property
    def fmin_cancelled_reason(self) -> str | None:
        """Why the last run was cancelled; None if it was not."""
        return self._fmin_cancelled_reason

    @property
    def _spark_pinned_threads_enabled(self) -> bool:
        gateway = getattr(self._spark_context, "_gateway", None)
        return type(gateway).__name__ == "ClientServer"

    @property
    def _spark_context(self) -> Any:
        return _context(self._spark)

    _spark_supports_job_cancelling = True
    _spark_supports_resource_profile = True

    def count_total_trials(self) -> int:
        """Count the trials that have ended."""
        states = [JOB_STATE_DONE, JOB_STATE_ERROR, JOB_STATE_CANCEL]
        return self.count_by_state_unsynced(states)

    def delete_all(self) -> None:
        """Delete all trials, and the reason why the last run was cancelled."""
        super().delete_all()
        self._fmin_cancelled, self._fmin_cancelled_reason = False, None

    def trial_attachments(self, trial: Document) -> TrialAttachments:
        """Return the attachments of a trial, given its document."""
        return TrialAttachments(self.attachments, trial["tid"])

    def observe(self, event: Event, history: View) -> None:
        """Store attachments, and log the messages that Hyperopt logs."""
        super().observe(event, history)
        if isinstance(event, Told):
            self._log_end(event)
        elif isinstance(event, Stopped):
            self._log_stop(event.reason)
        else:
            self._fmin_cancelled, self._fmin_cancelled_reason = False, None

    def _log_end(self, event: Told) -> None:
        trial = event.trial
        if trial.status.returned:
            logger.debug("trial %s task thread exits normally", trial.id)
            return
        if trial.status is Status.CANCELLED:
            logger.debug("trial task %s cancelled", trial.id)
        logger.debug("trial %s task thread catches an exception: %s", trial.id, trial.failure)

    def _log_stop(self, reason: str) -> None:
        self._fmin_cancelled_reason = _REASONS.get(reason)
        self._fmin_cancelled = self._fmin_cancelled_reason is not None
        if self._fmin_cancelled:
            logger.debug("fmin cancelled because of %s", self._fmin_cancelled_reason)
            logger.warning("fmin is cancelled, so new trials will not be launched.")
            logger.debug("Cancelling all running jobs")
        logger.debug("fmin thread exits normally")
        logger.info(
            "Total Trials: %d: %d succeeded, %d failed, %d cancelled.",
            self.count_total_trials(),
            self.count_successful_trials(),
            self.count_failed_trials(),
            self.count_cancelled_trials(),
        )


def _context(spark: Any) -> Any:
    """Return the SparkContext of a session; None for Spark Connect."""
    return None if "connect" in type(spark).__module__ else spark.sparkContext
