"""Trials in processes of this machine: side by side, with an end that they do not choose."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from sparktune import hp, tune
from sparktune.errors import InvalidArgument
from sparktune.sklearn.processes import Processes
from sparktune.trial import Status


def evaluated(objective: Any, options: list[Any], on: Processes) -> dict[Any, Any]:
    """{option: its trial}"""
    start = [{"x": i} for i in range(len(options))]
    study = tune(
        objective, hp.choice("x", options), on=on, start=start, max_trials=0, progress=False
    )
    return {options[int(trial.values["x"])]: trial for trial in study.trials.values()}


def test_a_process_serves_one_trial_after_the_other() -> None:
    def pid(x: int) -> float:
        return float(os.getpid())

    trials = evaluated(pid, [0, 1, 2, 3], Processes())
    pids = {trial.loss for trial in trials.values()}
    assert len(pids) == 1
    assert float(os.getpid()) not in pids


def test_a_crash_and_a_timeout_cost_their_trials() -> None:
    def objective(what: str) -> float:
        if what == "crash":
            os._exit(1)
        if what == "hang":
            time.sleep(600)
        if what == "raise":
            raise ValueError("no")
        return 0.0

    trials = evaluated(objective, ["crash", "hang", "raise", "fine"], Processes(2, 8))
    assert {what: trial.status for what, trial in trials.items()} == {
        "crash": Status.CRASHED,
        "hang": Status.TIMEOUT,
        "raise": Status.ERROR,
        "fine": Status.OK,
    }
    assert trials["raise"].failure.message == "no"


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="parallelism"):
        Processes(0)
    with pytest.raises(InvalidArgument, match="trial_timeout"):
        Processes(1, -1)
