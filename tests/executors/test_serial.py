"""The serial executor."""

from __future__ import annotations

from typing import Any

import pytest

from sparktune.executors.serial import Serial
from sparktune.executors.task import Task
from sparktune.trial import Status, Trial


def task(objective: Any = lambda x: x) -> Task:
    return Task(objective, lambda trial: trial.values["x"])


def test_each_collect_evaluates_the_oldest_trial() -> None:
    executor = Serial(task(), 2)
    executor.submit(Trial(0, {"x": 0.5}))
    executor.submit(Trial(1, {"x": 1.5}))
    assert [outcome.loss for outcome in executor.collect(None)] == [0.5]
    assert [outcome.loss for outcome in executor.collect(None)] == [1.5]
    assert executor.collect(None) == []


def test_the_objectives_exception_is_at_hand() -> None:
    def objective(x: float) -> float:
        raise KeyError("gone")

    executor = Serial(task(objective))
    executor.submit(Trial(0, {"x": 0.5}))
    [outcome] = executor.collect(None)
    assert outcome.status is Status.ERROR
    assert isinstance(outcome.exception, KeyError)
    assert outcome.failure is not None
    assert "raise KeyError" in outcome.failure.traceback


def test_an_error_while_the_configuration_is_built_is_the_trials() -> None:
    executor = Serial(Task(lambda x: x, lambda trial: trial.values["y"]))
    executor.submit(Trial(0, {"x": 0.5}))
    [outcome] = executor.collect(None)
    assert outcome.status is Status.ERROR
    assert isinstance(outcome.exception, KeyError)


def test_ctrl_c_inside_the_objective_gets_through() -> None:
    def objective(x: float) -> float:
        raise KeyboardInterrupt

    executor = Serial(task(objective))
    executor.submit(Trial(0, {"x": 0.5}))
    with pytest.raises(KeyboardInterrupt):
        executor.collect(None)


def test_closing_cancels_what_waits() -> None:
    executor = Serial(task(), 2)
    executor.submit(Trial(0, {"x": 0.5}))
    executor.close()
    assert [outcome.status for outcome in executor.collect(0)] == [Status.CANCELLED]


def test_a_description_names_study_trial_and_parameters() -> None:
    described = Task(abs, lambda trial: 0, "forest").describe(Trial(3, {"x": 0.123456789, "k": 2}))
    assert described == "forest trial 3: x=0.123457, k=2"
    many = Trial(0, {f"parameter_{i}": float(i) for i in range(100)})
    assert len(Task(abs, lambda trial: 0).describe(many)) == 300
