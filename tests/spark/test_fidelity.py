"""Schedulers that promote, on Spark."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sparktune import ASHA, Spark, SparkTrials, fmin, hp, tune
from sparktune.trial import Status
from tests.spark.conftest import eight_a_task_too

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


@pytest.mark.parametrize("shared", [False, True])
@eight_a_task_too
def test_states_are_handed_on_by_workers(
    session: SparkSession, tmp_path: Path, shared: bool, batch: Any
) -> None:
    class Model:
        """A class that workers cannot import."""

        def __init__(self, size: int) -> None:
            self.epochs, self.weights = 0, bytes(size)

    def objective(config: dict[str, Any], budget: int, state: Any = None) -> dict[str, Any]:
        model = state or Model(2**21)
        began, model.epochs = model.epochs, budget
        return {"loss": config["x"] ** 2, "status": "ok", "state": model, "began": began}

    study = tune(
        objective,
        SPACE,
        scheduler=ASHA_9,
        on=Spark(2, session=session, batch=batch),
        max_trials=9,
        seed=1,
        progress=False,
        checkpoints=tmp_path if shared else None,
    )
    for trial in study.trials.values():
        before = 0 if trial.parent is None else study.trials[trial.parent].budget
        assert trial.result is not None, trial.failure
        assert trial.result["began"] == before, trial.log
        assert trial.state is not None
        assert (trial.state.shared, trial.state.size > 2**21) == (shared, True)


@eight_a_task_too
def test_a_worker_that_dies_at_a_promotion_costs_this_promotion(
    session: SparkSession, tmp_path: Path, batch: Any
) -> None:
    def objective(config: dict[str, Any], budget: int, state: Any = None) -> dict[str, Any]:
        if budget == 3:
            guilty = tmp_path / "guilty"
            with contextlib.suppress(FileExistsError), open(guilty, "x") as file:
                file.write(str(config["x"]))
            if guilty.read_text() == str(config["x"]):
                os._exit(1)
        return {"loss": config["x"] ** 2, "status": "ok", "state": budget, "began": state or 0}

    study = tune(
        objective,
        SPACE,
        scheduler=ASHA_9,
        on=Spark(2, session=session, retries=0, batch=batch),
        max_trials=9,
        seed=1,
        progress=False,
    )
    [crashed] = [t for t in study.trials.values() if t.status is Status.CRASHED]
    assert crashed.budget == 3
    ended = [t for t in study.trials.values() if t.status is Status.OK]
    evaluations = Counter(t.budget for t in ended)
    # The next best takes its place if it is among the best third when the worker has died.
    assert evaluations.pop(3) in (2, 3)
    assert evaluations == {1: 9, 9: 1}
    assert crashed.parent not in {t.parent for t in ended if t.parent is not None}
    assert {t.result["began"] for t in ended if t.result and t.budget == 3} == {1}


@pytest.mark.parametrize("megabytes", [10, 64])
def test_large_states_travel_to_the_driver_and_back(session: SparkSession, megabytes: int) -> None:
    def objective(config: dict[str, Any], budget: int, state: Any = None) -> dict[str, Any]:
        wanted = f"{config['x']:.12f}".encode().ljust(16) * (megabytes * 2**16)
        done, weights = state or (0, wanted)
        told = {"loss": config["x"] ** 2, "status": "ok", "began": done}
        return told | {"state": (budget, weights), "right": weights == wanted}

    study = tune(
        objective,
        SPACE,
        scheduler=ASHA(1, 3, audit=0),
        on=Spark(2, session=session),
        max_trials=4,
        seed=1,
        progress=False,
    )
    assert Counter(trial.budget for trial in study.trials.values()) == {1: 4, 3: 1}
    for trial in study.trials.values():
        assert trial.result is not None, trial.failure
        assert trial.result["right"]
        assert trial.result["began"] == (0 if trial.parent is None else 1), trial.log
        assert trial.state is not None
        assert trial.state.size > megabytes * 2**20


KILLED = """
import os, pathlib, signal, sys, time
import sparktune
from sparktune import ASHA, Spark, hp, tune

session = sparktune.local_session()  # the active one
log = pathlib.Path("{log}")

def kill_executor():
    pid = os.getppid()
    while b"java" not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().split()[3])
    os.kill(pid, signal.SIGKILL)
    time.sleep(600)

def objective(config, budget, state=None):
    name = f"{config['x']!r}-{budget}"
    with open(log / name, "a") as file:
        file.write("x")
    if budget == 3 and not (log / "killed").exists():
        (log / "killed").touch()
        kill_executor()
    return {"loss": config["x"] ** 2, "status": "ok", "state": budget, "began": state or 0}

study = tune(objective, {"x": hp.uniform("x", -1, 1)}, scheduler=ASHA(1, 9, audit=0),
             on=Spark(2, session=session), max_trials=9, seed=1, progress=False)
for trial in study.trials.values():
    times = len((log / f"{trial.values['x']!r}-{trial.budget:g}").read_text())
    print(f"{trial.budget:g}", trial.status.value, (trial.result or {}).get("began"), times)
"""


def test_an_executor_that_is_killed_in_a_rung_costs_the_evaluation_that_it_ran(
    local_cluster: Callable[[str], Any], tmp_path: Path
) -> None:
    out, err = local_cluster("local-cluster[2,1,1024]").run(KILLED.replace("{log}", str(tmp_path)))
    assert Counter(out.splitlines()) == {
        "1 ok 0 1": 9,
        "3 ok 1 1": 2,
        "3 ok 1 2": 1,
        "9 ok 3 1": 1,
    }, err
