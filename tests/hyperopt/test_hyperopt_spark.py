"""The contract of Hyperopt's `SparkTrials`, on a real Spark."""

from __future__ import annotations

import copy
import logging
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune.hyperopt import STATUS_OK, SparkTrials, Trials, fmin, hp, rand, spark, tpe
from sparktune.hyperopt.base import JOB_STATE_CANCEL, JOB_STATE_DONE, JOB_STATE_ERROR

LINE = hp.uniform("x", -5, 5)
LOG = "hyperopt-spark"


def in_the_middle(x: float) -> float:
    if abs(x) > 3:
        raise RuntimeError(f"{x} is out of range")
    return 1.0


def search(objective: Any, trials: Any, n: int = 8, **options: Any) -> Any:
    options = {"rstate": np.random.default_rng(0), "return_argmin": False, **options}
    return fmin(objective, LINE, rand.suggest, n, trials=trials, verbose=False, **options)


@pytest.fixture
def trials(spark: Any) -> SparkTrials:
    return SparkTrials(parallelism=2, spark_session=spark)


def test_counts_documents_and_the_log(
    trials: SparkTrials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOG)
    search(in_the_middle, trials)
    bad = sum(abs(doc["misc"]["vals"]["x"][0]) > 3 for doc in trials._dynamic_trials)
    assert 0 < bad < 8
    assert trials.count_total_trials() == 8
    assert (trials.count_successful_trials(), trials.count_failed_trials()) == (8 - bad, bad)
    assert trials.count_by_state_unsynced(JOB_STATE_ERROR) == bad
    assert len(trials) == 8 - bad
    for doc in trials._dynamic_trials:
        if doc["state"] == JOB_STATE_DONE:
            assert doc["result"] == {"loss": 1.0, "status": "ok"}
        else:
            kind, text = doc["misc"]["error"]
            assert kind == "<class 'RuntimeError'>"
            assert "Traceback (most recent call last)" in text
    assert f"Total Trials: 8: {8 - bad} succeeded, {bad} failed, 0 cancelled." in caplog.messages
    assert "fmin thread exits normally" in caplog.messages
    caught = [each for each in caplog.messages if "task thread catches an exception" in each]
    assert len(caught) == bad
    assert "is out of range" in caught[0]


def test_each_failing_trial_is_called_once(trials: SparkTrials, tmp_path: Path) -> None:
    def failing(x: float) -> float:
        (tmp_path / str(time.monotonic_ns())).touch()
        raise ValueError("no")

    assert search(failing, trials, 3) is None
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(Exception, match=r"(?s)There are no evaluation tasks.*ValueError: no"):
        search(failing, SparkTrials(2), 2, return_argmin=True)


def test_a_timeout_cancels_and_can_be_gone_on_from(
    trials: SparkTrials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOG)

    def waiting(x: float) -> float:
        time.sleep(600)
        return x

    search(abs, trials, 4)
    search(waiting, trials, 8, timeout=1.5)
    assert (trials._fmin_cancelled, trials.fmin_cancelled_reason) == (True, "fmin run timeout")
    assert trials.count_successful_trials() == 4
    cancelled = trials.count_cancelled_trials()
    assert cancelled == trials.count_by_state_unsynced(JOB_STATE_CANCEL) >= 2
    for message in (
        "fmin is cancelled, so new trials will not be launched",
        "Cancelling all running jobs",
        "trial task 4 cancelled",
        "trial 4 task thread catches an exception",
    ):
        assert any(message in each for each in caplog.messages), message
    search(abs, trials, 10)
    assert (trials._fmin_cancelled, trials.fmin_cancelled_reason) == (False, None)
    assert trials.count_successful_trials() == 10
    assert trials.timeout is None


def test_a_stopping_function_ends_the_run(
    trials: SparkTrials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOG)

    def three_ok(trials: Any) -> tuple[bool, list[Any]]:
        return sum(doc["result"]["status"] == STATUS_OK for doc in trials) >= 3, []

    search(
        lambda x: {"loss": x, "status": "ok", "more": "kept"}, trials, 30, early_stop_fn=three_ok
    )
    assert 3 <= trials.count_successful_trials() < 30
    assert trials.results[0]["more"] == "kept"
    assert trials.fmin_cancelled_reason == "early stopping condition"
    assert "fmin cancelled because of early stopping condition" in caplog.messages


def test_parallelism_is_decided_with_a_word(
    spark: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, LOG)
    slots = spark.sparkContext.defaultParallelism
    for given in (None, 0, -1):
        made = SparkTrials(given, spark_session=spark)
        assert (made.parallelism, made.user_specified_parallelism) == (slots, given)
        assert f"parallelism will be set to ({slots})" in caplog.messages[-1]
    assert SparkTrials(1000, spark_session=spark).parallelism == 128
    assert "SparkTrials.MAX_CONCURRENT_JOBS_ALLOWED (128)" in caplog.messages[-1]
    monkeypatch.setattr(SparkTrials, "MAX_CONCURRENT_JOBS_ALLOWED", 2000)
    assert SparkTrials(1000, spark_session=spark).parallelism == 1000


@pytest.mark.parametrize("timeout", [-1, 0, True, "5"])
def test_a_timeout_that_is_none_is_refused(timeout: Any) -> None:
    with pytest.raises(Exception, match="timeout argument should be None or a positive value"):
        SparkTrials(parallelism=4, timeout=timeout)


def test_without_pyspark_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_have_spark", False)
    with pytest.raises(Exception, match="cannot import pyspark"):
        SparkTrials(parallelism=4)


def test_its_trials_can_be_copied_pickled_and_gone_on_with_anywhere(trials: SparkTrials) -> None:
    search(abs, trials, 3)
    trials.attachments["a"] = 1
    for other in (copy.deepcopy(trials), pickle.loads(pickle.dumps(trials))):
        assert other.trials == trials.trials
        search(abs, other, 4)
        assert (len(other), len(trials)) == (4, 3)
    here = Trials()
    here.insert_trial_docs(trials.trials)
    here.refresh()
    search(abs, here, 5)
    assert len(here) == 5


def test_points_and_attachments_and_saving_work(trials: SparkTrials, tmp_path: Path) -> None:
    def attaching(x: float) -> dict[str, Any]:
        return {"loss": x, "status": "ok", "attachments": {"square": x * x}}

    file = str(tmp_path / "trials.pkl")
    search(attaching, trials, 2, points_to_evaluate=[{"x": 2.0}], trials_save_file=file)
    assert len(trials) == 3
    assert trials.trial_attachments(trials.trials[0])["square"] == 4.0
    search(attaching, None, 4, trials_save_file=file)


def test_a_users_algorithm_is_asked_for_one_point_at_a_time(trials: SparkTrials) -> None:
    def counting(new_ids: Any, domain: Any, trials: Any, seed: int) -> Any:
        pending.append(len([doc for doc in trials.trials if doc["state"] < JOB_STATE_DONE]))
        (id,) = new_ids
        return tpe.suggest([id], domain, trials, seed)

    pending: list[int] = []
    fmin(abs, LINE, counting, 6, trials=trials, verbose=False)
    assert trials.tids == list(range(6))
    assert len(set(trials.vals["x"])) == 6
    assert pending[:2] == [0, 1]  # the second was suggested while the first waited


def test_deleting_resets_it(trials: SparkTrials) -> None:
    search(abs, trials, 3, early_stop_fn=lambda t: (True, []))
    assert trials._fmin_cancelled
    trials.delete_all()
    assert (len(trials), trials._fmin_cancelled, trials.fmin_cancelled_reason) == (0, False, None)


def test_options_that_hyperopts_has_not_are_those_of_sparktunes(spark: Any) -> None:
    runs = [SparkTrials(4, spark_session=spark, retries=0, deterministic=True) for _ in range(2)]
    for trials in runs:
        rng = np.random.default_rng(0)
        fmin(abs, LINE, tpe.suggest, 20, rstate=rng, trials=trials, verbose=False)
    assert runs[0].vals == runs[1].vals
    assert runs[0].retries == 0
    with pytest.raises(Exception, match="deterministic=True needs parallelism"):
        SparkTrials(spark_session=spark, deterministic=True)


def test_it_runs_on_spark_connect(connect: Any) -> None:
    trials = SparkTrials(parallelism=2, spark_session=connect)
    search(in_the_middle, trials)
    assert trials.count_total_trials() == 8
    assert trials.count_failed_trials() > 0
    assert SparkTrials(spark_session=connect).user_specified_parallelism is None
