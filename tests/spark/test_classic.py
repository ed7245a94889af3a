"""SparkTrials on a classic session: good manners, and the handle itself."""

from __future__ import annotations

import copy
import functools
import logging
import os
import pickle
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sparktune import (
    STATUS_OK,
    InvalidArgument,
    SparkTrials,
    Trials,
    fmin,
    hp,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)
pytestmark = pytest.mark.usefixtures("spark")


def square(x: float) -> float:
    return (x - 3) ** 2


def report(x: float) -> dict[str, Any]:
    """Where a trial ran."""
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    properties = ("spark.jobGroup.id", "spark.job.description", "spark.scheduler.pool")
    return {
        "loss": x,
        "status": STATUS_OK,
        "pid": os.getpid(),
        "properties": {name: context.getLocalProperty(name) for name in properties},
    }


class TestManners:
    def test_the_callers_properties_are_inherited_and_left_alone(self, spark: SparkSession) -> None:
        context = spark.sparkContext
        context.setJobGroup("cell-7", "the user's description")
        context.setLocalProperty("spark.scheduler.pool", "tuning")
        context.addJobTag("users-tag")
        try:
            trials = SparkTrials(parallelism=3)
            quiet(report, X, max_evals=6, trials=trials)
            assert context.getLocalProperty("spark.jobGroup.id") == "cell-7"
            assert context.getLocalProperty("spark.job.description") == "the user's description"
            assert set(context.getJobTags()) == {"users-tag"}
        finally:
            context.clearJobTags()
            context.setLocalProperty("spark.scheduler.pool", None)  # type: ignore[arg-type]
            context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
            context.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type]
        for trial, result in zip(trials.records.values(), trials.results, strict=True):
            assert result["properties"]["spark.jobGroup.id"] == "cell-7"
            assert result["properties"]["spark.scheduler.pool"] == "tuning"
            described = f"report trial {trial.id}: x={trial.values['x']:.6g}"
            assert result["properties"]["spark.job.description"] == described

    def test_no_thread_is_left(self) -> None:
        quiet(square, X, max_evals=10, trials=SparkTrials(parallelism=4))
        for thread in threading.enumerate():
            if thread.name.startswith("sparktune-"):
                thread.join(60)
                assert not thread.is_alive()

    def test_two_runs_at_once_do_not_touch_each_other(self) -> None:
        found: dict[int, Trials] = {}

        def tune(target: int) -> None:
            found[target] = SparkTrials(parallelism=2)
            quiet(
                lambda x: {"loss": (x - target) ** 2, "status": STATUS_OK, "target": target},
                X,
                max_evals=12,
                trials=found[target],
            )

        threads = [threading.Thread(target=tune, args=(target,)) for target in (-5, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for target, trials in found.items():
            assert {result["target"] for result in trials.results} == {target}
            assert len(trials) == 12

    def test_a_resource_profile_is_ignored_here_with_one_warning(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests

        profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
        with caplog.at_level(logging.WARNING, "sparktune"):
            quiet(square, X, max_evals=4, trials=SparkTrials(2, resource_profile=profile))
        assert [record.getMessage() for record in caplog.records] == [
            "resource_profile is ignored: a local master supports none"
        ]


class TestHandle:
    @pytest.mark.parametrize("copied", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy])
    def test_copies_can_go_on(self, copied: Any) -> None:
        trials = SparkTrials(parallelism=4, trial_timeout=60)
        quiet(square, X, max_evals=4, trials=trials)
        other = copied(trials)
        quiet(square, X, max_evals=8, trials=other)
        assert (other.parallelism, other.trial_timeout) == (4, 60)
        assert (len(trials), len(other)) == (4, 8)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"parallelism": "4"}, 'parallelism must be an integer >= 1, or "auto"'),
            ({"parallelism": 2.0}, "parallelism must be an integer"),
            ({"timeout": -1}, "timeout argument should be None or a positive value. Given value"),
            ({"timeout": True}, "timeout argument should be None or a positive value. Given value"),
            ({"trial_timeout": 0}, "trial_timeout argument should be None or a positive value"),
            ({"loss_threshold": "a"}, "loss_threshold argument should be None or a numeric value"),
            ({"resource_profile": "gpu"}, "must be a pyspark.resource.ResourceProfile"),
            ({"spark_session": "local"}, r"must be a SparkSession.*local_session\(\)"),
        ],
    )
    def test_wrong_arguments_are_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidArgument, match=message):
            SparkTrials(**options)

    @pytest.mark.parametrize("parallelism", ["auto", None, 0, -1])
    def test_no_parallelism_means_all_slots(
        self, parallelism: int | str | None, gather: Callable[[int], Any]
    ) -> None:
        trials = SparkTrials(parallelism)
        quiet(gather(4), X, max_evals=8, trials=trials)
        assert trials.count_successful_trials() == 8

    def test_a_timeout_given_twice_warns_and_the_objects_counts(self) -> None:
        trials = SparkTrials(2, timeout=50)
        with pytest.warns(UserWarning, match="timeout is given to both"):
            quiet(square, X, max_evals=2, timeout=20, trials=trials)

    def test_the_expression_cannot_travel(self) -> None:
        with pytest.raises(InvalidArgument, match="needs the objective in this process"):
            quiet(square, X, max_evals=2, trials=SparkTrials(2), pass_expr_memo_ctrl=True)
