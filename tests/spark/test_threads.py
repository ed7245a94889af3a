"""ThreadTrials for objectives that start Spark jobs."""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sparktune import AllTrialsFailed, ThreadTrials, fmin, hp

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
    barrier = threading.Barrier(3, timeout=20)
    trials = ThreadTrials(parallelism=3)
    quiet(lambda n: barrier.wait(), N, max_evals=6, trials=trials)
    assert trials.count_successful_trials() == 6


def test_the_timeout_cancels_the_jobs_of_trials(spark: SparkSession) -> None:
    context = spark.sparkContext

    def objective(n: int) -> float:
        return float(context.parallelize([0], 1).map(lambda _: time.sleep(600)).count())

    trials = ThreadTrials(parallelism=2)
    begun = time.monotonic()
    with pytest.raises(AllTrialsFailed, match="3 cancelled"):
        quiet(objective, N, max_evals=6, timeout=4, trials=trials)
    assert time.monotonic() - begun < 10
    # Cancelling is asynchronous in Spark; a job that never ended would fail here.
    end = time.monotonic() + 20
    while context.statusTracker().getActiveJobsIds():
        assert time.monotonic() < end
        threading.Event().wait(0.05)
