"""The user's handle on a run: the records of its trials, documents of them, and their executor.

Records (`sparktune.trial.Trial`) are the truth; Hyperopt-style documents are built from them when
asked for (`sparktune.documents`).
"""

from __future__ import annotations

import contextlib
import logging
import operator
import os
import pickle
import time
from collections.abc import Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from sparktune import tables
from sparktune.arguments import is_whole, numeric, positive, whole
from sparktune.documents import Ctrl, Document, TrialAttachments, document, renew
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.executors.pool import Pool
from sparktune.executors.serial import Serial
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.journal.journal import Header, Journal, read
from sparktune.space.space import Space
from sparktune.trial import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    Event,
    Executor,
    Scalar,
    Status,
    Told,
    Trial,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
logger = logging.getLogger("sparktune")

T = TypeVar("T", bound="Trials")


class Trials:
    """The trials of one study, evaluated one after the other in this process.

    Pass one to `fmin(trials=...)` to look at the trials afterwards, to pickle them, or to go on
    with a larger `max_evals`.
    """

    asynchronous = False
    """Whether trials run several at once."""

    catches_errors = False
    """Whether a trial that raises is always recorded, instead of ending the run unless
    `catch_eval_exceptions`.
    """

    space: Space | None = None
    """The search space of the last run in this process; not pickled, as it may not be."""

    def __init__(self) -> None:
        self.records: MutableMapping[int, Trial] = {}
        self.attachments: dict[str, Any] = {}
        self.labels: tuple[str, ...] = ()
        self.stop_reason: str | None = None
        """Why the last run ended: "all trials done", "timeout", "loss threshold", "all points of
        the search space tried", ...
        """
        self.header: Header | None = None
        """What the last run was about: the name of its objective, its seed, its space."""
        self.lag: int | None = None
        """With `deterministic`: how many trials a suggestion must not know the results of."""
        self.timeout: float | None = None
        self.loss_threshold: float | None = None
        self._documents: dict[int, tuple[Trial, Document]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_documents": {}, "space": None}

    def executor(self, task: Task, queue: int = 1) -> Executor:
        """What evaluates the trials of a run; up to `queue` suggestions wait in it."""
        return Serial(task, queue)

    def observe(self, event: Event, history: View) -> None:
        """Keep what the objective attached to its result."""
        if isinstance(event, Told):
            for name, value in (event.outcome.attachments or {}).items():
                self.attachments[f"ATTACH::{event.trial.id}::{name}"] = value

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a journal of these trials, which `load` and `fmin(journal=)` read. Replaces the
        file.

        Raises:
            JournalFailed: it cannot be written.
        """
        header = self.header or Header("", 0, "", {}, time.time())
        with contextlib.closing(Journal(os.fspath(path), anew=True)) as journal:
            journal.write(header, self)

    @classmethod
    def load(cls: type[T], path: str | os.PathLike[str]) -> T:
        """Trials from a journal, which is left alone. Arrays, models and the like in results are
        `Blob`s; call their `load()`.

        Raises:
            InvalidArgument: there is none, or it cannot be read.
        """
        kept = read(os.fspath(path))
        if kept.header is None:
            raise InvalidArgument(f"there is no journal at {path}")
        trials = cls()
        trials.records.update(kept.records)
        trials.attachments.update(kept.attachments)
        trials.labels = tuple(kept.header.columns)
        trials.header, trials.stop_reason = kept.header, kept.stop_reason
        return trials

    def restored(self, data: bytes) -> Any:
        """What an earlier run pickled into its `trials_save_file`."""
        return pickle.loads(data)

    # Documents

    @property
    def trials(self) -> list[Document]:
        """Documents of the trials that wait, run or returned, by id; not of those that raised or
        were cancelled.
        """
        hidden = (JOB_STATE_ERROR, JOB_STATE_CANCEL)
        return [doc for doc in self._dynamic_trials if doc["state"] not in hidden]

    @property
    def _dynamic_trials(self) -> list[Document]:
        """Documents of all trials, by id."""
        return [self._document(trial) for trial in self.records.values()]

    @property
    def tids(self) -> list[int]:
        """Ids of `trials`."""
        return [doc["tid"] for doc in self.trials]

    @property
    def results(self) -> list[dict[str, Any]]:
        """What the objective returned in each of `trials`, as dicts."""
        return [doc["result"] for doc in self.trials]

    @property
    def miscs(self) -> list[dict[str, Any]]:
        """Parameters (`idxs`, `vals`) and errors of `trials`."""
        return [doc["misc"] for doc in self.trials]

    @property
    def specs(self) -> list[None]:
        """None for each of `trials`."""
        return [doc["spec"] for doc in self.trials]

    def losses(self) -> list[float | None]:
        """The loss of each of `trials`, None where there is none."""
        return [result.get("loss") for result in self.results]

    def statuses(self) -> list[str]:
        """The status of each of `trials`: new, running, ok, fail or suspended."""
        return [result["status"] for result in self.results]

    @property
    def idxs_vals(self) -> tuple[dict[str, list[int]], dict[str, list[Scalar]]]:
        """Per label: the ids of the trials in which it was active, and its values there."""
        idxs: dict[str, list[int]] = {label: [] for label in self._all_labels()}
        vals: dict[str, list[Scalar]] = {label: [] for label in idxs}
        for misc in self.miscs:
            for label in idxs:
                idxs[label] += misc["idxs"].get(label, [])
                vals[label] += misc["vals"].get(label, [])
        return idxs, vals

    @property
    def idxs(self) -> dict[str, list[int]]:
        """Per label: the ids of the trials in which it was active."""
        return self.idxs_vals[0]

    @property
    def vals(self) -> dict[str, list[Scalar]]:
        """Per label: its values in the trials in which it was active."""
        return self.idxs_vals[1]

    @property
    def best_trial(self) -> Document:
        """The document of the trial with the smallest loss.

        Raises:
            AllTrialsFailed: no trial has a usable loss; the message tells of the first failure.
        """
        ok = [trial for trial in self.records.values() if trial.status is Status.OK]
        if not ok:
            raise AllTrialsFailed(self.explanation())
        return self._document(min(ok, key=lambda trial: (trial.loss, trial.id)))

    @property
    def argmin(self) -> dict[str, Scalar]:
        """{label: value} of the best trial, active parameters only; a choice is the index of its
        option.

        Raises:
            AllTrialsFailed: no trial has a usable loss.
        """
        return dict(sorted(self.records[self.best_trial["tid"]].values.items()))

    def explanation(self) -> str:
        """Why there is no best trial: how many ended how, and the first failure in full."""
        text = "There are no evaluation tasks, cannot return argmin of task losses"
        failed = [trial for trial in self.records.values() if not trial.status.pending]
        if not failed:
            return f"{text}: no trial was evaluated."
        counts = {status: sum(t.status is status for t in failed) for status in Status}
        summary = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
        text += f": none of {len(failed)} trials gave a usable loss ({summary})."
        told = next((trial for trial in failed if trial.failure), None)
        if told is None:
            return text
        return f"{text} The first failure, of trial {told.id}:\n{told.failure}{told.last_lines}"

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.trials)

    # Tables

    @property
    def best_params(self) -> dict[str, Any]:
        """{label: value} of the best trial as the objective received it: choices as their options,
        numbers of the space's types; active parameters only.

        Raises:
            AllTrialsFailed: no trial has a usable loss.
            InvalidArgument: the trials were loaded, and do not know the space; see `space_eval`.
        """
        return tables.best_params(self)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with a row for each trial: id, status, loss, a column for each
        parameter (missing where inactive, choices as their options), asked, started and finished
        (UTC), duration in seconds, error.

        A parameter named like one of these is in the column `params.<label>`.

        Raises:
            ImportError: there is no pandas.
        """
        return tables.frame(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return tables.html(self)

    # Counting

    def count_by_state_unsynced(self, state: int | Iterable[int]) -> int:
        """The number of trials in a state, or in one of several (`JOB_STATE_*`)."""
        wanted = {state} if isinstance(state, int) else set(state)
        return sum(trial.status.job_state in wanted for trial in self.records.values())

    count_by_state_synced = count_by_state_unsynced

    def count_successful_trials(self) -> int:
        """The number of trials that returned."""
        return self.count_by_state_unsynced(JOB_STATE_DONE)

    def count_failed_trials(self) -> int:
        """The number of trials that raised, crashed or ran out of time."""
        return self.count_by_state_unsynced(JOB_STATE_ERROR)

    def count_cancelled_trials(self) -> int:
        """The number of trials that were cancelled."""
        return self.count_by_state_unsynced(JOB_STATE_CANCEL)

    def count_ended_trials(self) -> int:
        """The number of trials that neither wait nor run."""
        return sum(not trial.status.pending for trial in self.records.values())

    def count_total_trials(self) -> int:
        """The number of all trials."""
        return len(self.records)

    def reserved(self) -> int:
        """The smallest id that is free, the records' own aside."""
        return 0

    # The rest of Hyperopt's handle

    def refresh(self) -> None:
        """Nothing: documents are always up to date."""

    def delete_all(self) -> None:
        """Forget all trials."""
        for store in (self.records, self.attachments, self._documents):
            store.clear()

    def trial_attachments(self, trial: Document) -> TrialAttachments:
        """The attachments of one trial, given its document."""
        return TrialAttachments(self.attachments, trial["tid"])

    def control(self, trial: Trial) -> Ctrl:
        """What an objective with `pass_expr_memo_ctrl` gets for its trial."""
        return Ctrl(self, self._document(trial))

    def _all_labels(self) -> list[str]:
        seen = dict.fromkeys(self.labels)
        for trial in self.records.values():
            seen.update(dict.fromkeys(trial.values))
        return sorted(seen)

    def _document(self, trial: Trial) -> Document:
        known, doc = self._documents.get(trial.id, (None, None))
        if doc is None:
            doc = document(trial, self.labels)
        elif known is not trial:
            renew(doc, trial)
        self._documents[trial.id] = (trial, doc)
        return doc


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
            these have ended, so that a slow trial holds others up. Needs `parallelism`.

    A trial that raises, crashes or runs out of time is recorded and the run goes on;
    `catch_eval_exceptions` makes no difference. Objectives travel to the workers, so they must not
    use the SparkSession: see `ThreadTrials` for that. What a trial writes to stdout and stderr, by
    `print` or by logging, comes back with it, the last 64 kB: `trials.records[3].log`.

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
    ) -> None:
        super().__init__()
        self.parallelism = _parallelism(parallelism)
        self.lag = _lag(deterministic, self.parallelism)
        self.timeout = positive("timeout", timeout)
        self.loss_threshold = numeric("loss_threshold", loss_threshold)
        self.trial_timeout = positive("trial_timeout", trial_timeout)
        self.retries = whole("retries", retries, 0)
        if resource_profile is not None and not hasattr(resource_profile, "taskResources"):
            raise InvalidArgument(
                "resource_profile must be a pyspark.resource.ResourceProfile, made by "
                f"ResourceProfileBuilder().require(...).build; got {resource_profile!r}"
            )
        self.resource_profile = resource_profile
        self._spark = _session(spark_session)

    def __getstate__(self) -> dict[str, Any]:
        """Without what lives in the JVM; a session is found again when it is needed."""
        return super().__getstate__() | {"_spark": None, "resource_profile": None}

    def executor(self, task: Task, queue: int = 1) -> Executor:
        """A pool over Spark jobs. `queue` is ignored: the pool keeps its own."""
        from sparktune.executors.spark_session import has_stopped

        stopped = self._spark is not None and has_stopped(self._spark)
        self._spark = _session(None if stopped else self._spark)
        transport = _transport(self._spark, task, self.resource_profile)
        return Pool(transport, self.parallelism, self.trial_timeout, self.retries)


class ThreadTrials(Trials):
    """Trials evaluated on threads of this process, several at once.

    For objectives that start Spark jobs of their own, such as Spark ML pipelines: their jobs are
    named after the trial in the Spark UI and cancelled with it. Python code itself cannot be
    interrupted: when a run ends early, what still runs is given up, not awaited. Failures are
        recorded and the run goes on, as with `SparkTrials`.

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
        self.lag = _lag(deterministic, self.parallelism)

    def executor(self, task: Task, queue: int = 1) -> Executor:
        """A pool over threads. `queue` is ignored: the pool keeps its own."""
        return Pool(_threads(task, self.parallelism), self.parallelism)


def _parallelism(parallelism: Any) -> int | None:
    """None for 'as many as there are slots', which Hyperopt's users also write as 0 or -1."""
    if parallelism is None or parallelism == "auto":
        return None
    if not is_whole(parallelism):
        raise InvalidArgument(
            'The parallelism argument should be an integer >= 1, or "auto" for all slots of the '
            f"cluster (a session goes to spark_session=). Given value: {parallelism!r}"
        )
    if parallelism <= 0:
        logger.warning("parallelism=%d: using as many slots as the cluster has", parallelism)
        return None
    return operator.index(parallelism)


def _lag(deterministic: bool, parallelism: int | None) -> int | None:
    """How many trials a suggestion must not know the results of; None: as few as possible."""
    if not isinstance(deterministic, bool):
        raise InvalidArgument(f"deterministic must be True or False, got {deterministic!r}")
    if deterministic and parallelism is None:
        raise InvalidArgument(
            "deterministic=True needs parallelism, as the trials depend on how many run at once; "
            "give it, as in SparkTrials(parallelism=8, deterministic=True)"
        )
    return parallelism if deterministic else None


def _session(spark: SparkSession | None) -> SparkSession:
    from sparktune.executors.spark_session import start, usable

    return usable(start({}) if spark is None else spark)


def _transport(spark: SparkSession, task: Task, resource_profile: Any) -> Any:
    """The way to Spark's workers that this kind of session has."""
    from sparktune.executors.spark_session import is_connect

    if is_connect(spark):
        from sparktune.executors.spark_connect import SparkConnect

        return SparkConnect(spark, task, resource_profile)
    from sparktune.executors.spark_classic import SparkClassic

    return SparkClassic(spark, task, resource_profile)


def _threads(task: Task, parallelism: int) -> Any:
    """Threads that cancel Spark jobs where there is a session, plain threads elsewhere."""
    import sys

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
