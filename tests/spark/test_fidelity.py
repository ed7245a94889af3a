"""Schedulers that promote, on Spark."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparktune import ASHA, Spark, SparkTrials, fmin, hp, tune

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPACE = {"x": hp.uniform("x", -1, 1)}
ASHA_9 = ASHA(1, 9, audit=0)


def test_asha_on_spark_continues_from_its_journal(session: SparkSession, tmp_path: Path) -> None:
    def objective(config: dict[str, Any], budget: int) -> float:
        return float((config["x"] - 0.3) ** 2 + 1 / budget)

    def run(n: int, **more: Any) -> Any:
        given: dict[str, Any] = {
            "scheduler": ASHA_9,
            "on": Spark(2, session=session),
            "journal": path,
        } | more
        return tune(objective, SPACE, max_trials=n, progress=False, **given)

    path = tmp_path / "study.jsonl"
    run(6, seed=1)
    study = run(12)
    assert Counter(trial.budget for trial in study.trials.values()) == {1: 12, 3: 4, 9: 1}
    assert study.best is not None
    assert study.best.budget == 9
    for trial in study.trials.values():
        assert trial.parent is None or study.trials[trial.parent].budget == trial.budget / 3


def test_fmin_promotes_on_spark(session: SparkSession) -> None:
    def objective(config: dict[str, Any], budget: int) -> dict[str, Any]:
        return {"loss": config["x"] ** 2 + 1 / budget, "status": "ok", "seen": budget}

    trials = SparkTrials(parallelism=2, spark_session=session)
    fmin(
        objective,
        SPACE,
        max_evals=9,
        trials=trials,
        scheduler=ASHA_9,
        seed=1,
        show_progressbar=False,
    )
    assert all(doc["result"]["seen"] == doc["misc"].get("budget", 1) for doc in trials.trials)
    assert trials.best_trial["result"]["seen"] == 9
