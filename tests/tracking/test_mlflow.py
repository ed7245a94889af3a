"""Runs that are tracked by MLflow, on a real server."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sparktune import (
    InvalidArgument,
    MlflowObserver,
    Serial,
    Spark,
    SparkTrials,
    Study,
    Threads,
    fmin,
    hp,
    tune,
)
from sparktune.cli import main
from sparktune.tracking import track
from sparktune.tracking.names import keys, metrics
from sparktune.trial import Status, Trial
from sparktune.trials import Trials
from tests.tracking.store import Server

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.filterwarnings("ignore::Warning:mlflow")

SPACE = {"x": hp.uniform("x", -5, 5), "kind": hp.choice("kind", ["round", "flat"])}


def loss(config: dict[str, Any]) -> dict[str, Any]:
    if config["x"] > 4:
        raise ValueError("x is too large")
    if config["x"] < -4:
        return {"status": "fail"}
    return {"loss": config["x"] ** 2, "status": "ok", "folds": 3, "rest": math.inf, "note": "n"}


def tracked(server: Server, **options: Any) -> Study:
    given: dict[str, Any] = {
        "on": Serial(),
        "max_trials": 12,
        "seed": 3,
        "progress": False,
    } | options
    return tune(loss, SPACE, tracking=server.observer(), **given)


def test_a_trial_is_a_child_run_with_its_parameters_metrics_and_end(server: Server) -> None:
    start = [{"x": 4.5, "kind": 0}, {"x": -4.5, "kind": 1}]
    study = tracked(server, start=start, sampler="random")

    children = server.children()

    assert children.keys() == study.trials.keys()
    (parent,) = server.parents()
    assert len({run.info.run_id for run in children.values()}) == len(study.trials)
    for id, trial in study.trials.items():
        run = children[id]
        assert run.data.params.keys() == trial.values.keys()  # what MLflow draws in parallel
        assert run.info.run_name == f"trial {id}"
        assert run.data.params["x"] == str(trial.values["x"])
        assert run.data.params["kind"] == ["round", "flat"][int(trial.values["kind"])]
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.tags["sparktune.status"] == trial.status.value
        if trial.status is Status.OK:
            assert run.info.status == "FINISHED"
            assert run.data.metrics["loss"] == trial.loss
            assert run.data.metrics["folds"] == 3
            assert "rest" not in run.data.metrics
            assert run.data.tags["trial_status"] == "success"
        else:
            assert run.info.status == "FAILED"
            assert "loss" not in run.data.metrics
            assert run.data.tags["trial_status"] == "failure"
    assert children[0].data.tags["sparktune.error"] == "ValueError: x is too large"


def test_the_parent_says_what_the_study_is_and_found(server: Server) -> None:
    study = tracked(server)

    (parent,) = server.parents()

    assert parent.info.run_name == "loss"
    assert parent.info.status == "FINISHED"
    assert parent.data.params["seed"] == "3"
    assert parent.data.params["max_evals"] == "12"
    assert parent.data.params["parallelism"] == "1"
    assert "uniform" in parent.data.params["space.x"]
    assert study.best is not None
    assert parent.data.metrics["best_trial_loss"] == study.best.loss
    assert parent.data.metrics["total_trials_count"] == 12
    ok = sum(trial.status is Status.OK for trial in study.trials.values())
    assert parent.data.metrics["successful_trials_count"] == ok
    steps = server.client.get_metric_history(parent.info.run_id, "best_trial_loss")
    assert [step.value for step in steps] == sorted((s.value for s in steps), reverse=True)
    assert "best loss" in parent.data.tags["mlflow.note.content"]
    files = {file.path for file in server.client.list_artifacts(parent.info.run_id)}
    assert files == {"best.json", "report.html", "trials.csv"}
    path = server.client.download_artifacts(parent.info.run_id, "best.json")
    assert json.loads(Path(path).read_text())["trial"] == study.best.id


def test_spark_trials_are_tracked_from_the_driver(server: Server, spark: SparkSession) -> None:
    """The workers have nothing to do with it."""

    def objective(config: dict[str, Any]) -> float:
        import sys

        assert "mlflow" not in sys.modules
        return float(config["x"] ** 2)

    trials = SparkTrials(parallelism=2, spark_session=spark)
    fmin(
        objective,
        SPACE,
        max_evals=6,
        trials=trials,
        seed=1,
        show_progressbar=False,
        tracking=server.observer(),
    )

    children = server.children()
    assert len(children) == 6
    for id, trial in trials.records.items():
        assert children[id].data.metrics["loss"] == trial.loss
        assert trial.started is not None
        assert abs(children[id].info.end_time / 1000 - (trial.finished or 0)) < 0.01


def test_the_active_run_is_the_parent_and_stays_open_and_takes_two_studies(server: Server) -> None:
    import mlflow

    mlflow.set_experiment(server.experiment)
    with mlflow.start_run() as active:
        first = tracked(server, seed=1, max_trials=4)
        second = tracked(server, seed=2, max_trials=5)
        still = mlflow.active_run()
        assert still is not None
        assert still.info.run_id == active.info.run_id
        assert server.client.get_run(active.info.run_id).info.status == "RUNNING"

    runs = [run for run in server.runs() if "sparktune.trial" in run.data.tags]
    assert len(runs) == len(first.trials) + len(second.trials)
    parents = {run.data.tags["mlflow.parentRunId"] for run in runs}
    assert parents == {active.info.run_id}
    (parent,) = server.parents()
    seeds = {value for key, value in parent.data.params.items() if key.startswith("seed")}
    assert seeds == {"1", "2"}


@pytest.mark.parametrize("n", [4, 12])
def test_a_trial_costs_three_requests(server: Server, n: int) -> None:
    """MLflow 2 asks for a run that ends, to print its address, and cannot be told not to."""
    from mlflow import environment_variables as known

    each = 3 if hasattr(known, "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT") else 4
    server.mode("ok")
    tracked(server, max_trials=n)
    counts = server.requests()

    assert sum(counts.values()) <= each * n + 20
    assert counts["POST runs/search"] == 1


@pytest.mark.parametrize("mode", ["429", "500"])
def test_a_server_that_fails_costs_neither_the_run_nor_a_result(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    journal = tmp_path / "study.jsonl"
    server.mode(mode)
    options = server.observer(patience=0)
    with caplog.at_level(logging.WARNING, "sparktune"):
        study = tune(
            loss, SPACE, max_trials=6, seed=3, journal=journal, progress=False, tracking=options
        )
    said = [record.getMessage() for record in caplog.records if "MLflow" in record.message]
    assert len(study.trials) == 6
    assert f"sparktune track {journal}" in said[-1]
    assert "of 6 trials are not sent yet" in said[-1]

    server.mode("ok")
    assert track(Trials.load(journal), server.observer(patience=300))

    children = server.children()
    assert children.keys() == study.trials.keys()
    assert {run.info.status for run in children.values()} <= {"FINISHED", "FAILED"}


def test_an_answer_that_is_lost_makes_no_second_run(server: Server) -> None:
    def objective(config: dict[str, Any]) -> float:
        if not dropped:
            dropped.append(True)
            server.mode("drop")
        return float(config["x"] ** 2)

    dropped: list[bool] = []
    options = server.observer(patience=300)
    study = tune(objective, SPACE, max_trials=8, seed=3, progress=False, tracking=options)

    children = server.children()  # which are one each
    assert children.keys() == study.trials.keys()
    assert all(run.info.status == "FINISHED" for run in children.values())


def test_a_run_that_continues_finds_its_children(server: Server, tmp_path: Path) -> None:
    journal = tmp_path / "study.jsonl"
    tracked(server, journal=journal, max_trials=5)
    study = tracked(server, journal=journal, max_trials=9)

    children = server.children()
    assert children.keys() == study.trials.keys()
    assert len(children) == 9
    (parent,) = server.parents()
    assert parent.data.metrics["total_trials_count"] == 9
    assert parent.info.status == "FINISHED"


def test_a_study_that_was_never_tracked_is_sent_by_the_command(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "study.jsonl"
    study = tune(loss, SPACE, max_trials=5, seed=3, journal=journal, progress=False)
    command = ["track", str(journal), "--experiment", server.experiment, "--uri", server.uri]

    assert main(command) == 0
    assert "all 5 trials" in capsys.readouterr().out
    assert main(command) == 0  # there is nothing to add

    assert server.children().keys() == study.trials.keys()


def test_above_so_many_children_only_improvements_get_a_run(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    options = server.observer(children=3)
    study = tune(
        lambda config: abs(config["x"]),
        SPACE,
        max_trials=20,
        seed=3,
        progress=False,
        tracking=options,
    )
    losses = [float(trial.loss or 0) for trial in study.trials.values()]
    improving = {i for i, each in enumerate(losses) if each <= min(losses[: i + 1])}
    children = server.children().keys()
    assert improving <= children
    assert len(children) < 20
    assert sum("3 trials have a run of their own" in r.getMessage() for r in caplog.records) == 1


def test_the_objective_has_the_run_of_its_trial(server: Server, spark: SparkSession) -> None:
    """Bare calls, `start_run()` and nested runs alike land there, none in the run of another
    trial.
    """

    def objective(config: dict[str, Any]) -> float:
        import mlflow as tracking

        if config["kind"] == "round":
            tracking.log_metric("own", config["x"])
        else:
            with tracking.start_run(nested=config["x"] < 0):
                tracking.log_metric("own", config["x"])
        if config["x"] > 3:
            raise ValueError("x is too large")
        return float(config["x"] ** 2)

    study = tune(
        objective,
        SPACE,
        on=Spark(parallelism=2, session=spark),
        max_trials=6,
        start=[{"x": 3.5, "kind": 0}, {"x": 3.5, "kind": 1}, {"x": -1.5, "kind": 1}],
        seed=3,
        progress=False,
        tracking=server.observer(workers=True),
    )
    children = server.children()
    assert children.keys() == study.trials.keys()
    assert len(server.parents()) == 1
    for id, trial in study.trials.items():
        assert children[id].data.metrics["own"] == trial.values["x"]
        wanted = "FINISHED" if trial.status is Status.OK else "FAILED"
        assert children[id].info.status == wanted
        assert children[id].data.tags["sparktune.status"] == trial.status.value


def test_trials_that_raise_die_or_run_out_of_time_fail_with_the_reason(
    server: Server, spark: SparkSession
) -> None:
    def objective(config: dict[str, Any]) -> float:
        import os
        import time

        if config["x"] > 3:
            raise ValueError("x is too large")
        if config["x"] > 2:
            os.kill(os.getpid(), 9)
        if config["x"] > 1:
            time.sleep(600)
        return float(config["x"] ** 2)

    study = tune(
        objective,
        SPACE,
        on=Spark(parallelism=2, session=spark, trial_timeout=3, retries=0),
        max_trials=1,
        start=[{"x": x, "kind": 0} for x in (3.5, 2.5, 1.5)],
        progress=False,
        tracking=server.observer(),
    )
    ends = [study.trials[id].status for id in range(3)]
    assert ends == [Status.ERROR, Status.CRASHED, Status.TIMEOUT]
    children = server.children()
    assert [children[id].info.status for id in range(3)] == ["FAILED"] * 3
    tags = [children[id].data.tags for id in range(3)]
    assert [each["sparktune.status"] for each in tags] == ["error", "crashed", "timeout"]
    assert tags[0]["sparktune.error"] == "ValueError: x is too large"
    assert tags[1]["sparktune.error"]
    assert "3" in tags[2]["sparktune.error"]


def test_autologging_goes_to_the_run_of_the_trial_and_nowhere_else(
    server: Server, spark: SparkSession
) -> None:
    pytest.importorskip("sklearn")

    def objective(config: dict[str, Any]) -> float:
        import mlflow as tracking
        from sklearn.linear_model import Ridge

        tracking.sklearn.autolog(log_models=False, log_datasets=False, silent=True)

        def fit(alpha: float) -> None:
            Ridge(alpha=alpha).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0])

        if config["kind"] == "round":
            fit(abs(config["x"]))
        else:
            with tracking.start_run():
                fit(abs(config["x"]))
                Ridge().fit([[0.0], [1.0]], [0.0, 1.0])
                tracking.log_metric("after_two_fits", config["x"])
        return float(config["x"] ** 2)

    before = len(server.client.search_runs(["0"]))
    study = tune(
        objective,
        SPACE,
        on=Spark(parallelism=2, session=spark),
        max_trials=6,
        start=[{"x": 1.5, "kind": 0}, {"x": 2.5, "kind": 1}],
        seed=3,
        progress=False,
        tracking=server.observer(workers=True),
    )

    assert len(server.client.search_runs(["0"])) == before, "there are runs in Default"
    assert len(server.parents()) == 1
    children = server.children()
    assert children.keys() == study.trials.keys()
    for id, trial in study.trials.items():
        data = children[id].data
        assert trial.status is Status.OK, trial.failure
        assert data.metrics["training_r2_score"] <= 1
        if trial.values["kind"] == 0:
            assert data.params["alpha"] == str(abs(trial.values["x"]))
        else:
            assert data.metrics["after_two_fits"] == trial.values["x"]


def test_threads_of_the_driver_have_runs_of_their_own(server: Server) -> None:
    import mlflow

    def objective(config: dict[str, Any]) -> float:
        mlflow.log_metric("own", config["x"])
        return float(config["x"] ** 2)

    mlflow.set_experiment(server.experiment)
    options = server.observer(workers=True)
    study = tune(
        objective,
        SPACE,
        on=Threads(2),
        max_trials=6,
        seed=3,
        progress=False,
        tracking=options,
    )
    children = server.children()
    for id, trial in study.trials.items():
        assert children[id].data.metrics["own"] == trial.values["x"]


def test_names_that_mlflow_refuses_are_changed_and_long_values_cut(server: Server) -> None:
    """And what is more than a request may hold goes in several."""
    space = {f"p{i}": hp.uniform(f"p{i}", 0, 1) for i in range(150)}
    space |= {"a=b": hp.uniform("a=b", 0, 1), "a/b c:1": hp.uniform("a/b c:1", 0, 1)}
    space["long"] = hp.choice("long", ["é" * 9000])
    result = {"loss": 1.0, "status": "ok", "no": math.nan, "much": math.inf, "little": -math.inf}
    tune(lambda config: result, space, max_trials=2, progress=False, tracking=server.observer())

    data = server.children()[0].data
    assert len(data.params) == 153
    assert {"a_b", "a/b c:1"} <= data.params.keys()
    assert data.params["long"].startswith("é" * 5000)
    assert data.params["long"].endswith("...")
    assert data.metrics.keys() == {"loss", "duration_s"}


def test_keys_differ_where_labels_do() -> None:
    assert keys(["a=b", "a#b", "../x", "a//b", "k" * 300, "k" * 301]) == {
        "a=b": "a_b",
        "a#b": "a_b_2",
        "../x": "_x",
        "a//b": "a__b",
        "k" * 300: "k" * 250,
        "k" * 301: "k" * 248 + "_2",
    }


def test_metrics_are_finite_numbers() -> None:
    result = {"loss": 1.0, "n": 3, "flag": True, "text": "3", "inf": math.inf, "a b": 2.5}
    trial = Trial(1, {}, Status.OK, loss=1.0, result=result, started=5.0, finished=7.5)
    assert metrics(trial) == {"loss": 1.0, "duration_s": 2.5, "n": 3.0, "a b": 2.5}


def test_without_mlflow_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparktune.results.packages.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'sparktune\[mlflow\]'"):
        tune(lambda config: pytest.fail("it ran"), SPACE, max_trials=1, tracking="mlflow")


@pytest.mark.parametrize(
    "make",
    [
        lambda: tune(loss, SPACE, max_trials=1, tracking="wandb"),
        lambda: MlflowObserver(children=-1),
        lambda: MlflowObserver(rate=0),
        lambda: MlflowObserver(patience=-1),
        lambda: MlflowObserver(experiment=""),
        lambda: MlflowObserver(env={"A": 1}),  # type: ignore[dict-item]
    ],
)
def test_options_that_make_no_sense_are_refused(make: Any) -> None:
    with pytest.raises(InvalidArgument):
        make()


@pytest.mark.parametrize("racing", [False, True])
def test_a_search_is_tracked_with_its_candidates(server: Server, racing: bool) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    from sparktune.sklearn import SparkSearchCV

    X = [[float(i % 7), float(i % 3)] for i in range(60)]
    search = SparkSearchCV(
        linear.LogisticRegression(),
        param_grid={"C": [0.1, 1.0, 10.0]},
        cv=3,
        racing=racing,
        on=Serial(),
        tracking=server.observer(),
    ).fit(X, [i % 2 for i in range(60)])
    children = server.children()
    assert children.keys() == search.study_.trials.keys()
    for id, trial in search.study_.trials.items():
        assert children[id].data.metrics["loss"] == trial.loss
    assert {run.data.params["C"] for run in children.values()} == {"0.1", "1.0", "10.0"}
