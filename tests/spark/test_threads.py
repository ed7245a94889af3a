"""ThreadTrials for objectives that start Spark jobs."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sparktune import AllTrialsFailed, ThreadTrials, fmin, hp
from sparktune.executors.pool import Pool
from sparktune.executors.spark_connect_threads import SparkConnectThreads
from sparktune.executors.task import Task
from sparktune.trial import Status, Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

quiet = functools.partial(fmin, show_progressbar=False)
N = hp.randint("n", 1, 50)


def test_objectives_start_jobs_named_after_their_trial(spark: SparkSession) -> None:
    context = spark.sparkContext
    described: dict[int, str | None] = {}

    def objective(n: int) -> float:
        described[n] = context.getLocalProperty("spark.job.description")
        return abs(spark.range(n).count() - 20)

    trials = ThreadTrials(parallelism=3)
    quiet(objective, N, max_evals=15, trials=trials, seed=0)
    assert trials.count_successful_trials() == 15
    for trial in trials.records.values():
        assert f": n={trial.values['n']}" in str(described[int(trial.values["n"])])
    assert context.getLocalProperty("spark.job.description") is None


def test_trials_overlap() -> None:
    barrier = threading.Barrier(3, timeout=120)
    trials = ThreadTrials(parallelism=3)
    quiet(lambda n: barrier.wait(), N, max_evals=6, trials=trials)
    assert trials.count_successful_trials() == 6


def test_the_timeout_cancels_the_jobs_of_trials(spark: SparkSession, wait_until: Any) -> None:
    context = spark.sparkContext

    def objective(n: int) -> float:
        return float(context.parallelize([0], 1).map(lambda _: time.sleep(600)).count())

    trials = ThreadTrials(parallelism=2)
    begun = time.monotonic()
    with pytest.raises(AllTrialsFailed, match="3 cancelled"):
        quiet(objective, N, max_evals=6, timeout=4, trials=trials)
    assert time.monotonic() - begun < 60
    # Cancelling is asynchronous in Spark; a job that never ended would fail here.
    wait_until(lambda: not context.statusTracker().getActiveJobsIds())


def test_queries_of_a_cancelled_trial_are_cancelled_on_connect(
    connect: Any, tmp_path: Path, wait_until: Any
) -> None:
    def sleep(batches: Any) -> Any:
        for _ in batches:
            pass
        time.sleep(600)
        yield from ()

    def objective(config: Any) -> float:
        for i in range(3):
            (tmp_path / f"began {i}").touch()
            with contextlib.suppress(Exception):
                connect.range(1).mapInArrow(sleep, "x long").collect()
        return 0.0

    pool = Pool(SparkConnectThreads(connect, Task(objective, lambda trial: None), 1), 1, 3)
    pool.submit(Trial(0, {}))
    [outcome] = pool.collect(300)
    pool.close()
    assert outcome.status is Status.TIMEOUT
    # Cancelling is asynchronous; a query that never ended would fail here.
    wait_until(lambda: not any(t.name.startswith("sparktune-") for t in threading.enumerate()))
    assert (tmp_path / "began 2").exists()
    assert connect.interruptAll() == []
