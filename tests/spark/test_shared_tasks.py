"""Trials that share a Spark task, on Spark Classic and on Spark Connect."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark import cloudpickle

from sparktune import Spark, hp, tune
from sparktune.trial import Status

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module
X = hp.uniform("x", 0, 100)
POINTS = [{"x": float(i)} for i in range(16)]


def noting(seen: list[float]) -> Callable[[float], dict[str, Any]]:
    """An objective that tells in which task it ran, and what its copy of a list held before."""

    def objective(x: float) -> dict[str, Any]:
        from pyspark import TaskContext

        print(f"this is {x}")
        known = [*seen]
        seen.append(x)
        context = TaskContext.get()
        assert context is not None
        return {"loss": x, "status": "ok", "known": known, "task": context.taskAttemptId()}

    return objective


def test_trials_that_share_a_task_fare_as_they_do_alone(session: Any) -> None:
    on = Spark(2, session=session, batch=8)
    study = tune(noting([]), X, sampler="random", on=on, max_trials=0, start=POINTS, seed=0)
    assert len(study.records) == 16
    by_task: dict[int, list[Any]] = {}
    for i, trial in sorted(study.records.items()):
        assert trial.status is Status.OK
        assert trial.loss == float(i)
        assert trial.result is not None
        assert trial.result["known"] == []
        assert trial.log == f"this is {float(i)}\n"
        by_task.setdefault(trial.result["task"], []).append(trial)
    assert sorted(len(trials) for trials in by_task.values()) == [8, 8]
    for trials in by_task.values():
        assert all(a.finished <= b.started for a, b in pairwise(trials))


def test_short_trials_share_tasks_by_themselves(session: Any) -> None:
    on = Spark(2, session=session)
    study = tune(noting([]), X, sampler="random", on=on, max_trials=80, seed=0)
    tasks = Counter(trial.result["task"] for trial in study.records.values() if trial.result)
    assert sum(tasks.values()) == 80
    assert max(tasks.values()) > 1


def test_a_trial_that_ends_its_process_leaves_alone_those_that_run(
    session: Any, tmp_path: Path
) -> None:
    folder = str(tmp_path)

    def objective(x: float) -> float:
        other = os.path.join(folder, str(1.0 - x))
        with open(os.path.join(folder, str(x)), "w"):
            pass
        while not os.path.exists(other):
            time.sleep(0.02)
        if x == 1.0:
            os._exit(1)
        time.sleep(5.0)  # the other's end is told meanwhile
        return x

    on = Spark(2, session=session, retries=0, trial_timeout=300, batch=1)
    study = tune(objective, X, sampler="random", on=on, max_trials=0, start=POINTS[:2], seed=0)
    ends = [trial.status for trial in study.records.values()]
    assert ends == [Status.OK, Status.CRASHED]


def test_a_trial_that_ends_its_process_ends_itself_alone(session: Any, tmp_path: Path) -> None:
    folder = str(tmp_path)

    def objective(x: float) -> float:
        with open(os.path.join(folder, f"{x:.0f}-{uuid.uuid4().hex}"), "w"):
            pass
        if x == 3.0:
            os._exit(1)
        return x

    on = Spark(2, session=session, retries=0, batch=8)
    study = tune(objective, X, sampler="random", on=on, max_trials=0, start=POINTS, seed=0)
    ends = {i: trial.status for i, trial in study.records.items()}
    assert ends == {i: Status.CRASHED if i == 3 else Status.OK for i in range(16)}
    evaluations = Counter(int(name.split("-")[0]) for name in os.listdir(folder))
    assert [evaluations[i] for i in range(4)] == [2, 2, 2, 2]  # the process died at the fourth
    assert [evaluations[i] for i in range(4, 16)] == [1] * 12


@pytest.mark.parametrize("batch", [0, 2.5, "many", True])
def test_a_wrong_size_is_refused(batch: Any) -> None:
    from sparktune.errors import InvalidArgument

    with pytest.raises(InvalidArgument, match='batch must be an integer >= 1, or "auto"'):
        Spark(2, batch=batch)
