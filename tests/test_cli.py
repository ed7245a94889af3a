"""The command `sparktune`, as processes with real files."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import sparktune
from sparktune import Trials, fmin, hp
from sparktune.cli import main
from tests.forks import Forks

REPOSITORY = Path(sparktune.__file__).parents[1]
COMMAND = [sys.executable, "-m", "sparktune"]

OBJECTIVE = """
import time
from sparktune import hp

SPACE = {"x": hp.uniform("x", 0, 1), "kind": hp.choice("kind", ["plain", "other"])}


def square(point):
    return point["x"] ** 2


def picky(point):
    if point["x"] > 0.5:
        raise ValueError(f"{point['x']} is\\n too large")
    return square(point)


def hopeless(point):
    raise KeyError("nothing")


def guarded(point):
    # is evaluated as often as it is allowed, then waits
    with open("evaluated", "a+") as file:
        file.seek(0)
        count = len(file.readlines())
        while count >= int(open("allowed").read()):
            time.sleep(0.01)
        file.write(f"{point['x']}\\n")
    time.sleep(0.005)
    return square(point)


def endless(point):
    open("started", "w").close()
    while True:  # in short steps: a signal just before a sleep is heard after it
        time.sleep(0.05)
"""

STUDY = """
objective = "objective.py:square"
space = "objective.py:SPACE"
algorithm = "random"
seed = 3
journal = "study.jsonl"
budget.max_evals = 12
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("objective.py").write_text(OBJECTIVE, encoding="utf-8")
    Path("study.toml").write_text(STUDY, encoding="utf-8")


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY), "PYSPARK_PYTHON": sys.executable}


def process(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A command that has ended, with the code that is expected."""
    ended = subprocess.run(
        [*COMMAND, *arguments], env=environment(), capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


def changed(*changes: str) -> list[str]:
    """`run` with these changes to the study."""
    return ["run", "study.toml", *(f"--set={change}" for change in changes)]


def pairs(text: str) -> dict[str, str]:
    """What stands behind the first words of a summary's lines."""
    lines = [line.split("  ", 1) for line in text.split("\n\n")[0].splitlines()]
    return {key: value.strip() for key, value in lines}


# run


def test_a_study_is_run_and_its_best_trial_shown() -> None:
    ended = process("run", "study.toml")
    assert ended.stderr == ""
    shown = pairs(ended.stdout)
    assert shown["objective"] == "square"
    assert shown["trials"] == "12: 12 ok"
    assert shown["ended"] == "all trials done"
    assert shown["best at"].startswith("kind=")
    best = min(trial.loss for trial in Trials.load("study.jsonl").records.values() if trial.loss)
    assert shown["best loss"].startswith(f"{best:.6g} (trial ")


def test_a_run_gives_the_points_that_fmin_gives() -> None:
    assert main(["run", "study.toml"]) == 0
    trials = Trials()
    space = {"x": hp.uniform("x", 0, 1), "kind": hp.choice("kind", ["plain", "other"])}
    fmin(lambda p: p["x"] ** 2, space, "random", 12, trials=trials, seed=3, verbose=False)
    assert points(Trials.load("study.jsonl")) == points(trials)


def points(trials: Trials) -> list[dict[str, Any]]:
    return [dict(trial.values) for trial in trials.records.values()]


def test_a_journal_is_gone_on_with_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*changed("budget.max_evals=5"), "--resume"]) == 0
    before = Path("study.jsonl").read_bytes()
    assert main(["run", "study.toml"]) == 2
    assert "study.jsonl exists already; add --resume" in capsys.readouterr().err
    assert Path("study.jsonl").read_bytes() == before
    assert main(["run", "study.toml", "--resume"]) == 0
    assert len(Trials.load("study.jsonl")) == 12
    assert Path("study.jsonl").read_bytes().startswith(before)


def test_resuming_without_a_journal_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.toml").write_text(STUDY.replace('journal = "study.jsonl"', ""), encoding="utf-8")
    assert main(["run", "study.toml", "--resume"]) == 2
    assert "--resume needs a journal" in capsys.readouterr().err
    assert main(["run", "study.toml"]) == 0


def test_paths_in_a_study_file_are_relative_to_it_and_those_set_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["run", "../study.toml"]) == 0
    assert (tmp_path / "study.jsonl").exists()
    assert main(["run", "../study.toml", "--set", "journal=here.jsonl"]) == 0
    assert (elsewhere / "here.jsonl").exists()


def test_failures_are_recorded_and_the_run_goes_on() -> None:
    ended = process(*changed("objective=objective.py:picky"))
    assert "trial" in ended.stderr  # the first failure is logged
    counts = Counter(trial.status.value for trial in Trials.load("study.jsonl").records.values())
    assert counts.keys() == {"ok", "error"}
    assert counts.total() == 12


def test_a_run_without_a_usable_loss_fails_with_one_line() -> None:
    ended = process(*changed("objective=objective.py:hopeless"), code=1)
    assert ended.stdout == ""
    last = ended.stderr.splitlines()[-1]
    assert last == (
        "sparktune: no trial has a usable loss (12: 12 error); the first failure, of trial 0: "
        "KeyError: 'nothing'; see: sparktune show ./study.jsonl"
    )


def test_an_objective_of_a_module_in_the_working_directory() -> None:
    process(*changed("objective=objective:square", "space=objective:SPACE"))


@pytest.mark.parametrize("executor", ["executor=threads", "executor.kind=threads"])
def test_threads(executor: str) -> None:
    assert main([*changed(executor, "executor.parallelism=2")]) == 0
    assert len(Trials.load("study.jsonl")) == 12


def test_a_progress_bar_is_shown_when_asked_and_stderr_is_no_terminal() -> None:
    assert "12/12" in process(*changed("journal=a.jsonl"), "--progress").stderr
    assert process(*changed("journal=b.jsonl")).stderr == ""


def test_options_of_algorithms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(changed("algorithm=tpe", "algorithm.gamma=0.3")) == 0
    assert main(changed("journal=b", "algorithm={name='tpe', gama=0.3}")) == 2
    assert "tpe.suggest has no option 'gama'; it has 'prior_weight'" in capsys.readouterr().err


def test_a_prior_is_given_as_tables(capsys: pytest.CaptureFixture[str]) -> None:
    prior = "prior={x={normal=[1, 0.001]}}"
    assert main(changed("algorithm=auto", "budget.max_evals=1", prior)) == 0
    assert float(pairs(capsys.readouterr().out)["best at"].split("x=")[1]) == pytest.approx(
        1, abs=0.1
    )


def test_a_scheduler_gives_budgets(capsys: pytest.CaptureFixture[str]) -> None:
    Path("epochs.py").write_text(
        "def epochs(point, budget):\n    return point['x'] ** 2 + 1 / budget\n", encoding="utf-8"
    )
    scheduler = "scheduler={name='asha', min_budget=1, max_budget=9}"
    assert main(changed("objective=epochs.py:epochs", scheduler)) == 0
    budgets = [trial.budget for trial in Trials.load("study.jsonl").records.values()]
    assert Counter(budgets) == {1: 12, 3: 4, 9: 1}
    assert main(["show", "study.jsonl"]) == 0
    shown = capsys.readouterr().out.partition("Budgets\n")[2].splitlines()
    assert [line.split()[:4] for line in shown[1:]] == [
        ["1", "12", "12", "1.3"],
        ["3", "4", "4", "1.3"],
        ["9", "1", "1", "1.0"],
    ]
    assert main(["plot", "study.jsonl", "-o", "pictures"]) == 0
    assert "pictures/rungs.png" in capsys.readouterr().out
    folds = "scheduler={name='folds', k=3}"
    assert main(changed("objective=epochs.py:epochs", folds, "journal=c")) == 0
    assert {trial.budget for trial in Trials.load("c").records.values()} == {1, 2, 3}
    more = ["objective=epochs.py:epochs", scheduler, "journal=b", "budget.full_evaluations=0.5"]
    assert main(changed(*more)) == 0
    ended = Trials.load("b")
    assert ended.stop_reason == "max budget"
    assert 0.5 * 9 <= sum(trial.budget for trial in ended.records.values()) < 9


@pytest.mark.spark
def test_spark_gets_its_settings_and_the_objective() -> None:
    study = STUDY.replace("budget.max_evals = 12", "budget.max_evals = 4")
    study += 'executor = {kind = "spark", parallelism = 2}\n[spark]\nmaster = "local[2]"\n'
    study += f'eventLog = {{enabled = true, dir = "{Path.cwd()}", compress = false}}\n'
    study += 'ui.enabled = false\n"driver.memory" = "1234m"\n'
    Path("study.toml").write_text(study, encoding="utf-8")
    ended = process("run", "study.toml")
    assert pairs(ended.stdout)["trials"] == "4: 4 ok"
    [events] = [path.read_text() for path in Path.cwd().rglob("events*")]
    for setting in ('"spark.master":"local[2]"', '"spark.driver.memory":"1234m"'):
        assert setting in events


def test_plain_arguments_of_tune_are_keys() -> None:
    start = "start=[{x = 0.25, kind = 0}]"
    assert main(changed(start, "deterministic=true", "executor=threads", "budget.max_evals=3")) == 0
    records = Trials.load("study.jsonl").records
    assert records[0].values == {"x": 0.25, "kind": 0}
    assert len(records) == 4


def test_an_error_may_end_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("failing.py").write_text("def never(x): raise KeyError('x')\n", encoding="utf-8")
    assert main(changed("objective=failing.py:never", "errors=raise")) == 1
    assert capsys.readouterr().err == "sparktune: a trial failed: KeyError: 'x'\n"
    assert len(Trials.load("study.jsonl").records) == 1


def test_every_key_is_an_argument_or_stands_for_some() -> None:
    from inspect import signature

    from sparktune import tune
    from sparktune.cli import study

    assert set(study._OTHERWISE) < set(signature(tune).parameters)
    assert set(study._PLAIN) == {
        "start",
        "seed",
        "journal",
        "errors",
        "deterministic",
        "checkpoints",
        "replicate",
    }
    assert study._options_of("spark") == [
        "parallelism",
        "trial_timeout",
        "retries",
        "batch",
        "deterministic",
    ]
    assert study._options_of("serial") == ["queue"]


# Errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["errors=ignore"], "errors must be 'record' or 'raise', got 'ignore'"),
        (["executor=threads", "executor.session=1"], "executor 'threads' has no key 'session'"),
        (["executor=spark", "executor.retries=-1"], "retries must be an integer >= 0"),
        (["executor=spark", "executor.batch=few"], 'batch must be an integer >= 1, or "auto"'),
        (["budgett=1"], "study.toml has no key 'budgett'; valid keys: 'objective', 'space'"),
        (["budget.maxevals=1"], "budget has no key 'maxevals'; valid keys: 'max_evals', 'timeout'"),
        (["budget.max_evals=many"], "max_evals must be an integer >= 0"),
        (["seed=-1"], "seed must be an integer >= 0, got -1"),
        (["prior=3"], "prior must be a table, got 3"),
        (["prior={z={normal=[0, 1]}}", "algorithm=auto"], "prior: the space has no parameter 'z'"),
        (["space=3"], "space must be a text or a table, got 3"),
        (["executor=cloud"], "executor must be one of 'serial', 'threads', 'spark', got 'cloud'"),
        (["executor.parallelism=2"], "executor 'serial' has no key 'parallelism'"),
        (["executor=threads", "executor.parallelism=0"], "parallelism must be"),
        (["algorithm=tpx"], "algorithm must be one of 'tpe', "),
        (["scheduler=ashes"], "must be one of 'asha', 'hyperband', 'folds', got 'ashes'"),
        (["scheduler=folds"], "scheduler 'folds' needs a value for 'k'"),
        (
            ["scheduler=asha", "scheduler.min=1"],
            "scheduler 'asha' has no key 'min'; valid keys: 'min_b",
        ),
        (["scheduler=asha", "scheduler.max_budget=9"], "square has no argument budget; write"),
        (["objective=objective.py:cube"], "objective: there is no 'cube' in objective.py"),
        (["objective=objective.py:SPACE"], "objective: objective.py:SPACE is not a function"),
        (["objective=square"], "objective must be module:name or path/to/file.py:name"),
        (["objective=nowhere.py:square"], "objective: there is no file "),
        (["objective=nowhere_at_all:square"], "No module named 'nowhere_at_all'"),
        (["objective=broken.py:square"], "NameError: name 'undefined' is not defined ("),
        (["journal=nowhere/study.jsonl"], "journal must be the path of a file in a folder"),
        (["max_evals"], "--set needs key=value, got 'max_evals'"),
        (["a b=1"], "--set: 'a b' is not a valid key"),
    ],
)
def test_what_is_wrong_with_a_study_is_said_in_one_line(
    changes: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.py").write_text("x = undefined\n", encoding="utf-8")
    assert main(changed(*changes)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("sparktune: ")
    assert message in line
    assert not Path("study.jsonl").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('space = "a.py:b"', "study.toml lacks the required key 'objective'"),
        ('objective = "a.py:b"', "study.toml lacks the required key 'space'"),
        ("objective", "study.toml is not valid TOML: "),
    ],
)
def test_a_study_file_must_be_one(
    content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("study.toml").write_text(content, encoding="utf-8")
    assert main(["run", "study.toml"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "best", "export --csv", "plot -o out"])
def test_a_journal_must_be_one(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "nowhere.jsonl"]) == 2
    assert main([*command.split(), "objective.py"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "sparktune: there is no journal at nowhere.jsonl"
    assert "objective.py cannot be read as a journal: line 1 is invalid" in second


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["walk"],
        ["run"],
        ["export", "study.jsonl"],
        ["export", "--csv", "--json", "study.jsonl"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: sparktune")


def test_the_version() -> None:
    assert process("--version").stdout == f"sparktune {sparktune.__version__}\n"


@pytest.mark.parametrize("command", ["", "run", "show", "plot", "export", "best"])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    said, errors = capsys.readouterr()
    assert said.startswith(f"usage: {' '.join(['sparktune', command]).strip()} ")
    assert errors == ""


def test_usage_is_said_by_the_process() -> None:
    assert process("--help").stdout.startswith("usage: sparktune ")
    assert process("walk", code=2).stderr.startswith("usage: sparktune ")


# Spaces as tables


def test_a_space_of_plain_tables() -> None:
    from sparktune.space.space import Space
    from sparktune.space.tables import space_of

    tables = {
        "depth": {"uniformint": [2, 16]},
        "rate": {"loguniform": ["log(0.001)", " log( 1e1 ) "]},
        "layer": {"width": {"quniform": {"low": 8, "high": 64, "q": 8}}},
        "kernel": {
            "choice": ["linear", {"name": "rbf", "gamma": {"lognormal": [0, 1], "label": "g"}}]
        },
        "family": {"pchoice": [[0.9, "a"], [0.1, [1, {"randint": 3}]]], "label": "f"},
        "fixed": {"of": [1, 2]},
    }
    log = 2.302585092994046
    written = {
        "depth": hp.uniformint("depth", 2, 16),
        "rate": hp.loguniform("rate", -3 * log, log),
        "layer": {"width": hp.quniform("layer.width", 8, 64, 8)},
        "kernel": hp.choice(
            "kernel", ["linear", {"name": "rbf", "gamma": hp.lognormal("g", 0, 1)}]
        ),
        "family": hp.pchoice("f", [(0.9, "a"), (0.1, [1, hp.randint("family.1", 3)])]),
        "fixed": {"of": [1, 2]},
    }
    ours, theirs = Space(space_of(tables)), Space(written)
    assert ours.describe() == theirs.describe()
    values = {"depth": 3, "rate": 0.1, "layer.width": 8.0, "kernel": 1, "g": 2.0, "f": 1}
    values["family.1"] = 2
    assert ours.decode(values) == theirs.decode(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "space.x.unifrom=[0, 1]",
            "space.x: unknown parameter type 'unifrom'; did you mean 'uniform'?",
        ),
        (
            "space.x={uniform=[0, 1], q=1}",
            "space.x: the only key allowed beside 'uniform' is 'label'",
        ),
        ("space.x.uniform=[0]", "space.x: hp.uniform does not take [0]"),
        ("space.x.uniform=[1, 0]", "hp.uniform('x'): low should be less than high"),
        ("space.x.loguniform=['log(a)', 1]", "'log(a)' is not a number"),
        ("space.x.choice=3", "space.x: choice must be a list, got 3"),
        ("space.x.pchoice=[1]", "space.x: pchoice must be a list of [probability, option]"),
        ("space.uniform=[0, 1]", "space: uniform needs a name"),
    ],
)
def test_tables_that_are_no_space(
    change: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(changed("space={}", change)) == 2
    assert message in capsys.readouterr().err


# show, best, export, plot


@pytest.fixture
def journal() -> str:
    """A journal of 12 trials, some without a loss."""
    assert main(changed("objective=objective.py:picky")) == 0
    return "study.jsonl"


def test_show(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["show", journal]) == 0
    shown = capsys.readouterr().out
    summary, best, failed = shown.split("\n\n")
    trials = Trials.load(journal)
    ok = sorted((t.loss, t.id) for t in trials.records.values() if t.loss is not None)
    assert pairs(summary)["trials"] == f"12: {len(ok)} ok, {12 - len(ok)} error"
    assert best.splitlines()[1].split() == ["trial", "loss", "seconds", "kind", "x"]
    rows = [line.split() for line in best.splitlines()[2:]]
    assert [int(row[0]) for row in rows] == [id for _, id in ok[:10]]
    assert {row[3] for row in rows} <= {"plain", "other"}
    _title, _head, only = failed.splitlines()  # messages that differ in numbers are one
    assert only.startswith(f"{12 - len(ok)}      error   ")
    assert only.endswith(" is too large")


def test_best(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["best", journal, "--json"]) == 0
    best = json.loads(capsys.readouterr().out)
    trials = Trials.load(journal)
    assert best["trial"] == trials.best_trial["tid"]
    assert best["loss"] == trials.best_trial["result"]["loss"]
    assert best["values"] == trials.argmin
    assert best["params"] == trials.argmin | {
        "kind": ["plain", "other"][int(best["values"]["kind"])]
    }
    assert main(["best", journal]) == 0
    assert f"loss   {best['loss']}" in capsys.readouterr().out


def test_there_is_no_best_trial_of_failures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(changed("objective=objective.py:hopeless")) == 1
    assert main(["best", "study.jsonl"]) == 1
    assert "the first failure, of trial 0: KeyError" in capsys.readouterr().err
    assert main(["show", "study.jsonl"]) == 0
    assert "best loss  none" in capsys.readouterr().out


def test_export(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    objects = json.loads(process("export", journal, "--json").stdout)
    capsys.readouterr()
    assert main(["export", journal, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    trials = Trials.load(journal)
    assert [row["id"] for row in objects] == list(range(12)) == [int(row["id"]) for row in rows]
    for trial, row, text in zip(trials.records.values(), objects, rows, strict=True):
        assert row["loss"] == trial.loss
        assert row["x"] == trial.values["x"] == float(text["x"])
        assert row["kind"] == text["kind"] == ["plain", "other"][int(trial.values["kind"])]
        assert text["loss"] == ("" if trial.loss is None else repr(trial.loss))
        assert row["error"] == (text["error"] or None)


HOSTILE = """
SPACE = {name: hp.uniform(name, 0, 1) for name in ("=HYPERLINK(A1)", "\\x1b[2Jx")}
SPACE["c"] = hp.choice("c", ["=cmd|'/C calc'!A0", "\\t@SUM(1)\\u202e", None])


def hostile(point):
    if point["=HYPERLINK(A1)"] > 0.5:
        raise ValueError("\\x1b]0;title\\x07\\x1b[2J\\x9b31mgone")
    return point["=HYPERLINK(A1)"]
"""


@pytest.fixture
def hostile() -> str:
    """A journal whose texts would steer a terminal, and whose cells are formulas."""
    Path("objective.py").write_text(OBJECTIVE + HOSTILE, encoding="utf-8")
    assert main(changed("objective=objective.py:hostile", "budget.max_evals=20")) == 0
    return "study.jsonl"


def test_control_characters_are_shown_as_escapes(
    hostile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    for command in ("show", "best"):
        assert main([command, hostile]) == 0
        shown = capsys.readouterr().out
        assert shown.replace("\n", "").isprintable()
        assert "\\x1b[2Jx" in shown
    assert main(["show", hostile]) == 0
    assert "\\x1b]0;title\\x07\\x1b[2J\\x9b31mgone" in capsys.readouterr().out
    assert main(["show", "\x1b[2Jnone"]) == 2
    assert "\\x1b[2Jnone" in capsys.readouterr().err


def test_safe_csv_holds_no_formulas(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["export", "--csv", hostile]) == 0
    raw = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert main(["export", "--csv", "--safe", hostile]) == 0
    text = capsys.readouterr().out
    safe = list(csv.DictReader(io.StringIO(text)))
    assert {row["c"] for row in raw} == {"=cmd|'/C calc'!A0", "\t@SUM(1)\u202e", "None"}
    assert {row["c"] for row in safe} == {"'=cmd|'/C calc'!A0", "\\t@SUM(1)\\u202e", "None"}
    assert "'=HYPERLINK(A1)" in safe[0]
    assert [row["'=HYPERLINK(A1)"] for row in safe] == [row["=HYPERLINK(A1)"] for row in raw]
    assert text.replace("\n", "").isprintable()
    assert main(["export", "--json", "--safe", hostile]) == 2


def test_an_option_none_is_no_inactive_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    space = """
SPACE = {"n": hp.choice("n", [None, {"inner": hp.choice("inner", [None, 1])}])}
SPACE["x"] = hp.uniform("x", 0, 1)
"""
    Path("objective.py").write_text(OBJECTIVE + space, encoding="utf-8")
    assert main(changed("budget.max_evals=20")) == 0
    trials = Trials.load("study.jsonl")
    capsys.readouterr()
    assert main(["export", "--csv", "study.jsonl"]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    wanted: dict[float | None, str] = {0: "None", 1: "1", None: ""}
    for row, trial in zip(rows, trials.records.values(), strict=True):
        assert row["inner"] == wanted[trial.values.get("inner")]
        assert (row["n"] == "None") == (trial.values["n"] == 0)
    assert main(["show", "study.jsonl"]) == 0
    _summary, best = capsys.readouterr().out.split("\n\n")
    shown = {int(line.split()[0]): line.split()[3] for line in best.splitlines()[2:]}
    assert {id for id, n in shown.items() if n == "None"} == {
        id for id in shown if trials.records[id].values["n"] == 0
    }


def test_plot(
    journal: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from sparktune import plots

    capsys.readouterr()
    caplog.clear()
    assert main(["plot", journal, "-o", "new/folder"]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    left_out = {each.getMessage().split(" is left out: ")[0] for each in caplog.records}
    assert {path.stem for path in paths} | left_out == set(plots.__all__)
    assert left_out <= {"importance", "rungs"}  # of 10 losses, and of several budgets
    for path in paths:
        assert path.parent == Path("new/folder")
        assert path.read_bytes().startswith(b"\x89PNG")


def test_output_that_nobody_reads_to_its_end_is_no_error() -> None:
    trials = Trials()  # more than a pipe holds
    fmin(abs, hp.uniform("x", 0, 1), "random", 400, trials=trials, verbose=False)
    trials.save("long.jsonl")
    piped = '"$@" export --json long.jsonl | head -n 1; echo "${PIPESTATUS[0]}"'
    ended = subprocess.run(
        ["bash", "-c", piped, "-", *COMMAND],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.stdout == "[\n141\n"
    assert ended.stderr == ""


# Ends that nobody planned


def test_ctrl_c_ends_a_run_which_can_be_resumed(wait_until: Any) -> None:
    command = [*COMMAND, *changed("objective=objective.py:endless")]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE) as running:
        wait_until(Path("started").exists)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=120)
    assert running.returncode == 130
    assert errors == b"sparktune: interrupted; add --resume to continue\n"
    assert pairs(process("show", "study.jsonl").stdout)["ended"] == "interrupted"
    assert pairs(process("run", "study.toml", "--resume").stdout)["ended"] == "all trials done"


def evaluated() -> int:
    """How often `guarded` has been called."""
    return len(Path("evaluated").read_text().splitlines()) if Path("evaluated").exists() else 0


PROGRAM = "import sys; from sparktune.cli import main; sys.exit(main())"


def kill(
    forks: Forks, run: list[str], moments: random.Random, wait_until: Any, any_time: bool
) -> None:
    """Start a run and kill it: some evaluations on, or at any time. It cannot end before."""
    before = evaluated()
    Path("allowed").write_text(str(before + 12), encoding="utf-8")
    some = before + moments.randrange(2, 10)
    process = forks.start(PROGRAM, *run)
    if any_time:
        time.sleep(moments.uniform(0.0, 0.3))
    else:
        wait_until(lambda: evaluated() >= some)
        time.sleep(moments.uniform(0.0, 0.02))
    os.kill(process, signal.SIGKILL)
    assert forks.wait() == -signal.SIGKILL, "it must not end before it is killed"


def test_a_run_that_is_killed_twenty_times_loses_nothing_and_repeats_nothing(
    wait_until: Any,
) -> None:
    moments = random.Random(7)
    run = [*changed("objective=objective.py:guarded", "budget.max_evals=300"), "--resume"]
    finished: dict[int, Any] = {}
    with Forks.of("sparktune.cli.study", "sparktune.cli.commands") as forks:
        for i in range(20):
            kill(forks, run, moments, wait_until, any_time=i % 3 == 0)
            if Path("study.jsonl").exists() and Path("study.jsonl").stat().st_size:
                kept = Trials.load("study.jsonl").records
                now = {id: trial for id, trial in kept.items() if not trial.status.pending}
                assert {id: now.get(id) for id in finished} == finished, "a finished trial changed"
                finished = now
    assert finished
    print(f"finished when the last kill came: {len(finished)}")
    Path("allowed").write_text("1000", encoding="utf-8")
    process(*run)
    trials = Trials.load("study.jsonl")
    assert list(trials.records) == list(range(300))
    lines = [json.loads(line) for line in Path("study.jsonl").read_text().splitlines()]
    told = Counter(line["told"]["id"] for line in lines if "told" in line)
    assert set(told.values()) == {1}
    # Each kill can have cost the one trial that ran.
    assert 300 <= evaluated() <= 320
    uninterrupted = changed("budget.max_evals=300", "journal=at_once.jsonl")
    assert main(uninterrupted) == 0
    assert points(trials) == points(Trials.load("at_once.jsonl"))
