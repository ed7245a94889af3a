"""Runs on Spark whose trials do not depend on the timing."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from sparktune import SparkTrials, fmin, hp

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

quiet = functools.partial(fmin, show_progressbar=False)


def test_spark_gives_the_same_trials_again(spark: SparkSession) -> None:
    def objective(config: dict[str, float]) -> dict[str, Any]:
        rounds = int.from_bytes(os.urandom(2), "big") * 10  # ends at another time in every run
        return {"status": "ok", "loss": config["x"] ** 2 + 0 * sum(range(rounds))}

    found = []
    for _ in range(2):
        trials = SparkTrials(parallelism=4, deterministic=True)
        quiet(objective, {"x": hp.uniform("x", -5, 5)}, max_evals=40, trials=trials, seed=5)
        found.append([trials.records[id].values["x"] for id in range(40)])
    assert found[0] == found[1]
    assert len(set(found[0])) == 40
