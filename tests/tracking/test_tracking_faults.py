"""Servers that hang or go away, drivers that are killed: the run goes on, and nothing is missing or
there twice in the end.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparktune import Threads, hp, tune
from sparktune.tracking import track
from sparktune.tracking.names import study_id
from sparktune.tracking.sending import _sending
from sparktune.trials import Trials
from tests.tracking.conftest import Processes
from tests.tracking.store import Server

pytestmark = pytest.mark.filterwarnings("ignore::Warning:mlflow")

SPACE = {"x": hp.uniform("x", -5, 5)}


def square(config: dict[str, Any]) -> float:
    return float(config["x"] ** 2)


def ended(server: Server) -> dict[int, Any]:
    """The runs of trials, one each, none of which runs still."""
    children = server.children()
    assert {run.info.status for run in children.values()} <= {"FINISHED", "FAILED"}
    return children


def run_ids(runs: dict[int, Any]) -> dict[int, str]:
    """{trial id: run id} of the runs of trials."""
    return {id: run.info.run_id for id, run in runs.items()}


def wait_for(condition: Callable[[], Any]) -> None:
    """Return once it holds."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_server_that_hangs_holds_up_nothing(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = tmp_path / "study.jsonl"
    server.mode("hang")
    told: list[float] = []

    def objective(config: dict[str, Any]) -> float:
        told.append(time.monotonic())
        return square(config)

    options = server.observer(patience=0.1)
    with caplog.at_level(logging.WARNING, "sparktune"):
        study = tune(
            objective, SPACE, max_trials=6, journal=journal, progress=False, tracking=options
        )
    assert len(told) == 6
    (said,) = [each.getMessage() for each in caplog.records if "MLflow" in each.getMessage()]
    assert f"6 of 6 trials are not sent yet; send them with: sparktune track {journal}" in said
    assert server.requests(), "the server was never asked"

    server.mode("ok")
    assert track(Trials.load(journal), server.observer(patience=300))
    assert ended(server).keys() == study.trials.keys()


def test_a_server_that_goes_away_and_comes_back(
    server: Server, mlflows: Processes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The run ends within its patience, with one warning, and what is missing is sent as soon as
    the server is back.
    """
    journal = tmp_path / "study.jsonl"
    ends: list[float] = []

    def objective(config: dict[str, Any]) -> float:
        if len(ends) == 9:  # the run does not end before the first failure is known
            wait_for(lambda: "MLflow cannot be reached" in caplog.text)
        ends.append(time.monotonic())
        if len(ends) == 4:
            mlflows.kill()
        return square(config)

    options = server.observer(patience=0.5)
    study = tune(objective, SPACE, max_trials=10, journal=journal, progress=False, tracking=options)
    mlflows.serve(mlflows.port)
    assert len(study.trials) == 10
    assert time.monotonic() - ends[-1] < 60  # a request to a dead server takes MLflow minutes
    lost, left = [each.getMessage() for each in caplog.records if "MLflow" in each.getMessage()]
    assert "MLflow cannot be reached" in lost
    assert f"trials are not sent yet (MlflowException: API request to {server.uri}" in left
    assert left.endswith(f"sparktune track {journal}")
    sender = _sending[study_id(study.header)] if study.header else None
    assert sender
    assert sender.wait(300)
    runs = ended(server)
    assert runs.keys() == study.trials.keys()
    assert track(Trials.load(journal), server.observer(patience=300))
    assert run_ids(ended(server)) == run_ids(runs)


@pytest.mark.parametrize("mode", ["429", "500"])
def test_a_server_that_fails_for_a_while_gets_everything_in_the_same_run(
    server: Server, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def objective(config: dict[str, Any]) -> float:
        calls.append(len(calls))
        if len(calls) == 2:
            server.mode(mode)
        if len(calls) == 4:
            wait_for(lambda: server.requests())
            server.mode("ok")
        return square(config)

    study = tune(objective, SPACE, max_trials=6, progress=False, tracking=server.observer())
    assert ended(server).keys() == study.trials.keys()
    (said,) = [each.getMessage() for each in caplog.records if "MLflow" in each.getMessage()]
    assert "MLflow cannot be reached" in said
    assert mode in said


DRIVER = """
import os, sys
from sparktune import MlflowObserver, hp, tune
uri, experiment, journal, dies = sys.argv[1:]

def square(config):
    seen.append(config)
    if len(seen) > 5 and dies == "dies":
        sent.wait(300)  # some are sent
        os.kill(os.getpid(), 9)
    return config["x"] ** 2

import threading
from sparktune.tracking.projection import Projection
seen, sent, send = [], threading.Event(), Projection.send
def watched(self, study, trial):
    send(self, study, trial)
    if self.children >= 3:
        sent.set()
Projection.send = watched
tune(square, {"x": hp.uniform("x", -5, 5)}, max_trials=9, journal=journal, seed=1, progress=False,
     tracking=MlflowObserver(experiment=experiment, tracking_uri=uri, patience=300))
"""


def test_a_driver_that_is_killed_continues_without_doubles(
    server: Server, mlflows: Processes, tmp_path: Path
) -> None:
    journal = tmp_path / "study.jsonl"
    driver = (DRIVER, server.uri, server.experiment, str(journal))
    assert mlflows.run(*driver, "dies") == -signal.SIGKILL
    before = server.children()
    assert len(before) >= 3
    assert len(server.parents()) == 1

    assert mlflows.run(*driver, "lives") == 0

    after = ended(server)
    study = Trials.load(journal)
    assert after.keys() == study.records.keys()
    assert run_ids(before).items() <= run_ids(after).items()
    (parent,) = server.parents()
    assert parent.info.status == "FINISHED"
    assert track(study, server.observer(patience=300))
    assert run_ids(ended(server)) == run_ids(after)


@pytest.mark.parametrize("mode", ["500", "gone"])
def test_own_runs_of_trials_are_given_up_soon(
    server: Server, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The objective is called all the same, though without a run, and the driver makes it later."""
    monkeypatch.setattr("sparktune.tracked._pause", {"until": float("-inf")})
    calls: list[int] = []

    def objective(config: dict[str, Any]) -> float:
        import mlflow

        assert mlflow.active_run() is None or calls == []
        if not calls:
            server.mode(mode)
        calls.append(os.getpid())
        return square(config)

    options = server.observer(workers=True, patience=0)
    study = tune(objective, SPACE, on=Threads(1), max_trials=5, progress=False, tracking=options)
    assert len(calls) == 5
    assert all(trial.loss is not None for trial in study.trials.values())
    server.mode("ok")
    assert track(study, server.observer(patience=300))
    assert ended(server).keys() == study.trials.keys()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("htp://127.0.0.1", "htp"),
        ("file:./mlruns", "sqlite:///mlflow.db"),
        ("databricks://nobody", "credential"),
    ],
)
def test_an_address_that_leads_nowhere_is_not_waited_for(
    uri: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    server: Server,
    tmp_path: Path,
) -> None:
    from mlflow import environment_variables as known

    if uri.startswith("file:") and not hasattr(known, "MLFLOW_ALLOW_FILE_STORE"):
        pytest.skip("this MLflow keeps runs in folders")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "no profiles"))
    options = replace(server.observer(patience=300), tracking_uri=uri)
    began = time.monotonic()
    study = tune(square, SPACE, max_trials=3, progress=False, tracking=options)
    assert time.monotonic() - began < 200
    assert len(study.trials) == 3
    ours = [each.getMessage() for each in caplog.records if each.name == "sparktune"]
    first, last = ours
    assert "MLflow cannot be used" in first
    assert said in first
    assert "3 of 3 trials are not sent yet" in last


def test_an_experiment_that_was_deleted_is_not_waited_for(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.client.delete_experiment(server.client.create_experiment(server.experiment))
    options = server.observer(patience=300)
    study = tune(square, SPACE, max_trials=3, progress=False, tracking=options)
    assert len(study.trials) == 3
    first, last = [each.getMessage() for each in caplog.records]
    assert "must be in the 'active' state" in first
    assert "not sent yet" in last
    found = server.client.get_experiment_by_name(server.experiment)
    server.client.restore_experiment(found.experiment_id)
    assert track(study, options)
    assert ended(server).keys() == study.trials.keys()
