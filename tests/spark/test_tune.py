"""`tune` on Spark, classic and Connect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sparktune import Spark, hp, tune
from sparktune.errors import TrialFailed
from sparktune.trial import Status

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
