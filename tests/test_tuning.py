"""`tune`: arguments, how runs end, and going on."""

from __future__ import annotations

import functools
import inspect
import io
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from sparktune import InvalidArgument, Serial, Spark, Study, Threads, Trials, fmin, hp, tpe
from sparktune import tune as loud
from sparktune.errors import TrialFailed
from sparktune.events import Asked, Begun, Enqueued, Event, Stopped, Told
from sparktune.history import View
from sparktune.journal.journal import read
from sparktune.schedulers import New
from sparktune.stopping import LossThreshold, NoProgress, Timeout, no_progress_loss
from sparktune.trial import Status

SPACE = {
    "x": hp.uniform("x", -10, 10),
    "kind": hp.choice("kind", ["a", {"y": hp.normal("y", 0, 1)}]),
}
tune = functools.partial(loud, progress=False)


def objective(config: dict[str, Any]) -> float:
    return float((config["x"] - 3) ** 2 + (config["kind"] != "a"))


def failing(config: dict[str, Any]) -> float:
    if config["x"] < 0:
        raise ZeroDivisionError("negative")
    return objective(config)


def values(study: Study) -> list[dict[str, Any]]:
    return [dict(trial.values) for trial in study.trials.values()]


# A run


def test_a_run_gives_its_study() -> None:
    study = tune(objective, SPACE, max_trials=40, seed=1)
    assert len(study.trials) == 40
    assert study.stop_reason == "all trials done"
    assert study.best is not None
    assert study.best.loss == min(trial.loss for trial in study.trials.values() if trial.loss)
    assert study.config(study.best)["kind"] == study.best_params["kind"] == "a"
    assert study.header is not None
    assert (study.header.objective, study.header.seed) == ("objective", 1)


def test_it_makes_the_trials_that_fmin_makes() -> None:
    trials = Trials()
    fmin(objective, SPACE, max_evals=30, trials=trials, seed=5, verbose=False)
    study = tune(objective, SPACE, max_trials=30, seed=5)
    assert values(study) == [dict(trial.values) for trial in trials.records.values()]
    assert trials.study is not None
    assert trials.study.best == trials.records[trials.best_trial["tid"]]


def test_the_signature_is_the_one_that_everything_stands_on() -> None:
    parameters = inspect.signature(loud).parameters
    assert " ".join(parameters) == (
        "objective space sampler scheduler on max_trials stop start prior replicate seed journal "
        "observers errors deterministic progress study tracking checkpoints"
    )


@pytest.mark.parametrize("sampler", ["random", "tpe", tpe.suggest(gamma=0.3)])
def test_a_sampler_goes_by_its_name_or_is_one(sampler: Any) -> None:
    assert len(tune(objective, SPACE, sampler=sampler, max_trials=5).trials) == 5


def test_a_scheduler_decides_budgets() -> None:
    class Halves:
        def schedule(self, history: View, free: int) -> list[New]:
            return [New(0.5)] * free

        def scores(self, history: View) -> View:
            return history

    study = tune(objective, SPACE, scheduler=Halves(), max_trials=4)
    assert [trial.budget for trial in study.trials.values()] == [0.5] * 4


def test_annotations_are_a_space() -> None:
    def annotated(x: hp.uniform("x", 0, 1), k: hp.randint("k", 3) = 0) -> float:  # type: ignore[valid-type]
        return float(x + k)

    study = tune(annotated, "annotated", max_trials=5)
    assert set(study.labels) == {"x", "k"}
    assert study.header is not None
    assert study.header.objective == "annotated"


def test_points_come_first_and_on_top() -> None:
    point = {"x": 3.0, "kind": 0}
    study = tune(objective, SPACE, max_trials=5, start=[point])
    assert values(study)[0] == point
    assert len(study.trials) == 6
    assert len(tune(objective, SPACE, max_trials=7, start=[point], study=study).trials) == 7


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (LossThreshold(1e9), "loss threshold"),
        (NoProgress(3), "no progress"),
        (Timeout(0) | NoProgress(3), "timeout"),
    ],
)
def test_rules_end_a_run(stop: Any, reason: str) -> None:
    study = tune(lambda config: 1.0, SPACE, stop=stop)
    assert study.stop_reason == reason


def test_deterministic_runs_repeat_on_threads() -> None:
    runs = [
        tune(objective, SPACE, on=Threads(4), max_trials=40, seed=2, deterministic=True)
        for _ in range(3)
    ]
    assert values(runs[0]) == values(runs[1]) == values(runs[2])


# Failures


def test_failures_are_recorded() -> None:
    study = tune(failing, SPACE, max_trials=20, seed=0)
    statuses = {trial.status for trial in study.trials.values()}
    assert statuses == {Status.OK, Status.ERROR}
    assert len(study.trials) == 20


def test_or_raised_with_the_study() -> None:
    with pytest.raises(ZeroDivisionError, match="negative") as caught:
        tune(failing, SPACE, max_trials=20, errors="raise", start=[{"x": 1.0, "kind": 0}])
    study = caught.value.study  # type: ignore[attr-defined]
    assert [trial.status for trial in study.trials.values()][-1] is Status.ERROR
    assert study.stop_reason == "interrupted"
    assert study.best is not None


def test_a_crash_is_raised_too() -> None:
    class Crashing:
        """A platform that loses every trial."""

        parallelism = 1

        def open(self, task: Any) -> Any:
            executor = Serial().open(task)
            executor.collect = lambda timeout: [  # type: ignore[method-assign]
                type(o)(o.trial_id, Status.CRASHED, failure=o.failure)
                for o in type(executor).collect(executor, timeout)
            ]
            return executor

    assert len(tune(objective, SPACE, on=Crashing(), max_trials=3).trials) == 3
    with pytest.raises(TrialFailed, match="trial 0 failed: crashed"):
        tune(objective, SPACE, on=Crashing(), max_trials=3, errors="raise")


def test_a_study_without_a_loss_is_still_returned() -> None:
    study = tune(lambda config: {"status": "fail"}, SPACE, max_trials=3)
    assert study.best is None
    assert str(study) == "3 trials: 3 fail; no loss yet"


def test_ctrl_c_raises_with_the_results(tmp_path: Path) -> None:
    code = f"""
    import os, signal
    from sparktune import hp, tune

    def objective(x):
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            import time
            time.sleep(600)
        calls.append(x)
        return x

    calls = []
    try:
        tune(objective, hp.uniform("x", 0, 1), max_trials=9, journal={str(tmp_path / "j")!r})
    except KeyboardInterrupt as error:
        print(len(error.study.trials), error.study.stop_reason, error.study.best.loss == min(calls))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.split("\n")[0] == "4 interrupted True", done.stderr
    assert "1 cancelled" in done.stderr.splitlines()[-1]


# Going on


def test_a_study_goes_on() -> None:
    study = tune(objective, SPACE, max_trials=10, seed=4)
    again = tune(objective, SPACE, max_trials=30, study=study)
    assert again is study
    assert values(study) == values(tune(objective, SPACE, max_trials=30, seed=4))


def test_a_study_may_be_asked_before_and_after_a_run() -> None:
    study = Study(SPACE, seed=4)
    [first] = study.ask()
    study.tell(first, 100.0)
    [lost] = study.ask()
    tune(objective, study.space, max_trials=5, study=study)
    assert study.trials[lost.id].status is Status.OK
    assert len(study.trials) == 5
    assert [trial.id for trial in study.ask(2)] == [5, 6]


def test_a_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    tune(objective, SPACE, max_trials=10, seed=4, journal=path)
    study = tune(objective, SPACE, max_trials=30, journal=path)
    assert values(study) == values(tune(objective, SPACE, max_trials=30, seed=4))
    assert Study.load(path, SPACE).records.keys() == study.records.keys()


def test_another_seed_or_space_than_the_journals_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    study = tune(objective, SPACE, max_trials=3, seed=4, journal=path)
    before = path.read_bytes()
    with pytest.raises(InvalidArgument, match=r"seed=5, but the journal was begun with seed=4"):
        tune(objective, SPACE, max_trials=5, seed=5, journal=path)
    with pytest.raises(InvalidArgument, match=r"another search space .*z: .* is new"):
        tune(objective, SPACE | {"z": hp.uniform("z", 0, 1)}, max_trials=5, journal=path)
    with pytest.raises(InvalidArgument, match=r"begun with seed=4; .*make a new study"):
        tune(objective, SPACE, max_trials=5, seed=5, study=study)
    assert path.read_bytes() == before


def test_a_refused_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    tune(objective, SPACE, max_trials=3, journal=path)
    trials = Trials()
    with pytest.raises(InvalidArgument, match=r"another search space"):
        fmin(abs, hp.uniform("z", 0, 1), max_evals=5, trials=trials, journal=path)
    assert (trials.records, trials.labels, trials.study, trials.header) == ({}, (), None, None)


# Observers


def test_observers_see_every_event(tmp_path: Path) -> None:
    events: list[Event] = []
    sizes: list[int] = []

    def observe(event: Event, history: View) -> None:
        events.append(event)
        sizes.append(len(history))

    path = tmp_path / "study.jsonl"
    point = {"x": 1.0, "kind": 0}
    options: dict[str, Any] = {"start": [point], "observers": [observe], "journal": path}
    study = tune(objective, SPACE, max_trials=1, **options)
    assert [type(event) for event in events] == [Begun, Enqueued, Asked, Told, Asked, Told, Stopped]
    assert isinstance(events[0], Begun)
    assert events[0].header == study.header
    assert events[0].limit is not None
    assert events[0].limit.max_evals == 1
    assert [type(event) for event in read(path)][1:] == [type(event) for event in events]
    events.clear()
    tune(objective, SPACE, max_trials=2, **options)
    assert [type(event) for event in events] == [Begun, Asked, Told, Stopped]
    assert sizes[-4:] == [2, 3, 3, 3]


def test_an_observer_that_raises_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    def observe(event: Event, history: View) -> None:
        raise OSError("no network")

    assert len(tune(objective, SPACE, max_trials=3, observers=[observe]).trials) == 3
    assert caplog.text.count("left out from now on") == 1


def test_it_says_how_it_went_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    study = loud(objective, SPACE, max_trials=3, seed=1)
    out, err = capsys.readouterr()
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith(f"3 trials: 3 ok; best loss {study.best.loss:.6g} (trial ")  # type: ignore[union-attr]
    assert "; all trials done, " in last
    fmin(objective, SPACE, max_evals=3)
    assert "all trials done" not in capsys.readouterr().err


class Unread(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stderr", [None, Unread(), closed()], ids=["none", "unread", "closed"])
def test_a_run_does_not_need_stderr(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", stderr)
    assert len(loud(objective, SPACE, max_trials=3, seed=1).trials) == 3
    assert capsys.readouterr().out == ""


# Wrong arguments


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objective": 3}, "objective must be a function of one configuration, got 3"),
        (
            {"on": Serial},
            r"on must be Serial\(\), Threads\(4\) or Spark\(parallelism=8\), got <class",
        ),
        ({"on": "spark"}, "on must be .* got 'spark'"),
        ({"stop": 600}, r"stop must be a rule of sparktune.stopping, such as Timeout\(600\)"),
        ({"stop": no_progress_loss}, "stop must be a rule"),
        ({"errors": "ignore"}, "errors must be 'record' or 'raise', got 'ignore'"),
        ({"observers": [3]}, r"observers must be functions \(event, history\)"),
        ({"max_trials": -1}, "max_trials must be an integer >= 0, or None"),
        ({"max_trials": 2.5}, "max_trials must be an integer"),
        ({"seed": "one"}, "seed must be an integer"),
        ({"sampler": "bayes"}, "sampler must be .* got 'bayes'"),
        ({"start": [{"x": 1}]}, "lacks a value for 'kind'"),
        ({"start": {"x": 1, "kind": 0}}, "start must be a list of points"),
        ({"deterministic": 1}, "deterministic must be True or False, got 1"),
        ({"deterministic": True, "on": Spark()}, "deterministic=True needs parallelism"),
        ({"study": 3}, "study must be a Study, or None, got 3"),
        ({"study": Study(SPACE), "sampler": "random"}, "a sampler and a scheduler of its own"),
        ({"study": Study({"z": hp.uniform("z", 0, 1)})}, "another search space"),
        ({"scheduler": 3}, "scheduler must be .* got 3"),
        ({"progress": 3}, "progress must be True, False, 'live' or a function"),
    ],
)
def test_wrong_arguments_are_refused(wrong: dict[str, Any], message: str) -> None:
    def never(config: Any) -> float:
        raise AssertionError("evaluated")

    with pytest.raises(InvalidArgument, match=message):
        tune(**{"objective": never, "space": SPACE, "max_trials": 1, **wrong})
