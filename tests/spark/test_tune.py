"""`tune` on Spark, classic and Connect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sparktune import Parts, Spark, hp, tune
from sparktune.errors import TrialFailed
from sparktune.trial import Status
from tests.spark.conftest import eight_a_task_too

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPACE = {"x": hp.uniform("x", -5, 5), "k": hp.choice("k", ["a", "b"])}


@pytest.fixture
def objective() -> Callable[[Any], float]:
    """An objective that travels by value, as this module is not on the workers."""

    def objective(config: dict[str, Any]) -> float:
        if config["x"] < 0:
            raise ZeroDivisionError("negative")
        print("seen on a worker")
        return float(config["x"] + (config["k"] == "a"))

    return objective


def test_trials_are_spark_tasks(session: SparkSession, objective: Callable[[Any], float]) -> None:
    on = Spark(2, session=session)
    study = tune(objective, SPACE, on=on, max_trials=12, seed=1, deterministic=True, progress=False)
    again = tune(objective, SPACE, on=on, max_trials=12, seed=1, deterministic=True, progress=False)
    found = [[(t.values, t.status) for t in each.trials.values()] for each in (study, again)]
    assert found[0] == found[1]
    assert {status for _, status in found[0]} == {Status.OK, Status.ERROR}
    assert study.best is not None
    assert study.best.log == "seen on a worker\n"
    assert tune(objective, SPACE, on=on, max_trials=14, study=study, progress=False) is study


def test_the_first_failure_ends_the_run_where_it_shall(
    session: SparkSession, objective: Callable[[Any], float]
) -> None:
    start = [{"x": -1.0, "k": 0}]
    on = Spark(2, session=session)
    with pytest.raises(
        TrialFailed, match=r"(?s)trial 0 failed: .*in objective.*negative"
    ) as caught:
        tune(objective, SPACE, on=on, start=start, errors="raise", progress=False)
    assert caught.value.study.trials[0].status is Status.ERROR  # type: ignore[attr-defined]


@eight_a_task_too
def test_parts_of_a_trial_are_spark_tasks(session: SparkSession, batch: Any) -> None:
    def objective(config: dict[str, Any], part: int) -> float:
        print(f"part {part}")
        if config["x"] < 0 and part == 1:
            raise ZeroDivisionError("negative")
        return float(config["x"] + part)

    start = [{"x": 2.0, "k": 0}, {"x": -1.0, "k": 1}]
    on = Parts(Spark(2, session=session, batch=batch), 3)
    study = tune(objective, SPACE, on=on, start=start, max_trials=0, progress=False)
    good, bad = study.trials.values()
    assert (good.status, good.loss, bad.status) == (Status.OK, 3.0, Status.ERROR)
    assert good.result == {"status": "ok", "loss": 3.0, "losses": [2.0, 3.0, 4.0]}
    assert good.log == "part 0\npart 1\npart 2\n"
    assert bad.failure is not None
    assert bad.failure.message == "negative"
    assert "in objective" in bad.failure.traceback.splitlines()[1]
