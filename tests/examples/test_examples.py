"""Every example as its users run it: as a script, as a notebook on a session that others have used
before, and under spark-submit with the settings of conf/.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import pytest

from sparktune import Trials

REPOSITORY = Path(__file__).parents[2]
SPARK_SUBMIT = str(Path(sys.executable).parent / "spark-submit")


PYTHON = [sys.executable]
SUBMIT = [SPARK_SUBMIT, "--master", "local[2]"]
EVENTS = ["--conf", "spark.eventLog.enabled=true", "--conf", "spark.eventLog.compress=false"]
STUDY = ["conf/random_forest.toml", "--progress"]
JOURNAL = ["--set=journal={folder}/forest.jsonl"]

Output: TypeAlias = Callable[[], str]

# What a test looks at: the command, with {folder} for a folder of its own, and the evaluations.
PROGRAMS: dict[str, tuple[list[str], int]] = {
    "test_first_steps": ([*PYTHON, "examples/first_steps.py"], 100),
    "test_spaces": ([*PYTHON, "examples/spaces.py"], 0),
    "test_noisy": ([*PYTHON, "examples/noisy.py"], 0),
    "test_ask_and_tell": ([*PYTHON, "examples/ask_and_tell.py"], 0),
    "test_resuming": ([*PYTHON, "examples/resuming.py"], 20),
    "test_tracking": ([*PYTHON, "examples/tracking.py"], 12),
    "test_random_forest": ([*PYTHON, "examples/random_forest.py"], 8),
    "test_an_example_under_spark_submit_runs_with_the_settings_given_there": (
        [*SUBMIT, *EVENTS, "--conf", "spark.eventLog.dir={folder}", "examples/random_forest.py"],
        4,
    ),
    "test_submit": (
        [*SUBMIT, "examples/submit.py", *STUDY, "--set=budget.max_evals=4", *JOURNAL],
        4,
    ),
    "test_the_study_in_conf_runs_on_a_spark_of_its_own": (
        [*PYTHON, "-m", "sparktune", "run", *STUDY, "--set=budget.max_evals=6"],
        6,
    ),
}
TORCH = find_spec("torch") is not None
if TORCH:
    PROGRAMS["test_neural_network"] = [*PYTHON, "examples/neural_network.py"], 12

# Notebooks that share a session, in two programs, and the evaluations of each.
NOTEBOOKS: list[dict[str, int]] = [
    {"automl": 4, "search_cv": 0, "failures": 12, "clusters": 8, "epochs": 12},
    {"model_selection": 16, "hyperopt_sklearn": 4, "scikit_optimize": 0, "spark_ml": 4},
]
ONE_BY_ONE = """
import os, runpy, sys

for notebook in sys.argv[1:]:
    name, os.environ["MAX_EVALS"] = notebook.split("=")
    runpy.run_path(f"examples/{name}.py", run_name="__main__")
    for stream in (sys.stdout, sys.stderr):
        print(f"\\nend of {name}", file=stream, flush=True)
"""


def run(command: list[str], **settings: str) -> tuple[str, str]:
    """What a command writes to stdout and stderr."""
    settings |= {"MLFLOW_LOGGING_LEVEL": "WARNING", "PYSPARK_PYTHON": sys.executable}
    if command[0] == SPARK_SUBMIT:
        settings["SPARK_CONF_DIR"] = "conf"
    result = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr


def checked(stdout: str, stderr: str, evaluations: int) -> str:
    """What was printed, after a look at the progress bar and at what else is on stderr.

    spark-submit merges a script's stderr into its stdout.
    """
    if evaluations:
        shown = rf"(^| ){evaluations}/{evaluations} "
        assert re.search(shown, stdout + stderr, re.MULTILINE)
    # The last: Spark's cleaner, if it is at work when the program ends.
    expected = re.compile(
        r"\s*\d+%\|.*|WARNING: Using incubator modules: .*|\d+ trials: .* s|trial \d .*|"
        r"\d+/\d+ trials \[.*|java\.util\.concurrent\.RejectedExecutionException: .*|\tat .*|"
        r"\d+ trials are evaluated again, one by one: .*"
    )
    assert [line for line in stderr.splitlines() if not expected.fullmatch(line)] == []
    return stdout


def program(command: list[str], evaluations: int, folder: Path) -> str:
    """What a program prints."""
    given = [part.format(folder=folder) for part in command]
    return checked(*run(given, MAX_EVALS=f"{evaluations}"), evaluations)


def one_of(ended: Future[dict[str, str]], name: str) -> str:
    return ended.result()[name]


def notebooks(evaluations: dict[str, int]) -> dict[str, str]:
    """What each of several notebooks prints, which one program runs one after the other."""
    given = [f"{name}={n}" for name, n in evaluations.items()]
    streams = run([*PYTHON, "-c", ONE_BY_ONE, *given])
    pieces = [re.split(r"\n?^end of \w+\n", stream, flags=re.MULTILINE) for stream in streams]
    each = zip(*pieces, [*evaluations.values(), 0], strict=True)  # the last: as the program ends
    return dict(zip(evaluations, [checked(*one) for one in each], strict=False))


@pytest.fixture(scope="module")
def outputs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[Path, Output]]]:
    """The folder and the output of the program of each test that is run. Two programs run at once,
    as Spark takes seconds to start.
    """
    wanted = {item.name for item in request.session.items}
    folder = tmp_path_factory.mktemp("notebooks")
    with ThreadPoolExecutor(2) as pool:
        started: dict[str, tuple[Path, Output]] = {}
        for several in NOTEBOOKS:
            if chosen := {name: n for name, n in several.items() if f"test_{name}" in wanted}:
                ended = pool.submit(notebooks, chosen)
                for name in chosen:
                    started[f"test_{name}"] = folder, functools.partial(one_of, ended, name)
        for name, (command, evaluations) in PROGRAMS.items():
            if name in wanted:
                folder = tmp_path_factory.mktemp("program")
                started[name] = folder, pool.submit(program, command, evaluations, folder).result
        yield started


@pytest.fixture
def folder(request: pytest.FixtureRequest, outputs: dict[str, tuple[Path, Output]]) -> Path:
    """What {folder} stands for in this test's command."""
    return outputs[request.node.name][0]


@pytest.fixture
def output(request: pytest.FixtureRequest, outputs: dict[str, tuple[Path, Output]]) -> str:
    """What this test's program prints."""
    return outputs[request.node.name][1]()


def number(pattern: str, output: str) -> float:
    """The number that a pattern's group finds."""
    found = re.search(pattern, output, re.MULTILINE)
    assert found, f"{pattern} does not match:\n{output}"
    return float(found[1])


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "examples").glob("*.py")), ids=lambda p: p.name
)
def test_every_example_is_a_databricks_notebook_and_has_a_test(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# Databricks notebook source", "# MAGIC %md"]
    assert "# COMMAND ----------" in lines
    assert f"test_{path.stem}" in globals()


def test_first_steps(output: str) -> None:
    assert number(r"^\{'x': (\S+)\}$", output) == pytest.approx(2.25, abs=0.1)
    assert number(r"^100 trials: 100 ok; best loss (\S+) ", output) == pytest.approx(-6.54, abs=0.1)
    assert 20 < number(r"^(\d+) trials$", output) < 100


def test_scikit_optimize(output: str) -> None:
    for where in ("alone", "on Spark"):
        assert (
            number(rf"^{where}: error (\S+) at", output) < 0.2
        )  # one of the initial points, the same in both
    assert re.search(r"^14 trials: 14 ok", output, re.MULTILINE)


def test_spaces(output: str) -> None:
    assert len(re.findall(r"^\{'learning_rate': ", output, re.MULTILINE)) == 3
    assert len(re.findall(r"^\{'layers': \[\d+", output, re.MULTILINE)) == 3


def test_noisy(output: str) -> None:
    observed = number(r"^luckiest: trial \d+, observed (\S+), true ", output)
    assert observed < number(r"^luckiest: .* true (\S+)$", output)
    assert number(r"^recommended: .* true (\S+)$", output) < 0.1
    assert re.search(r"^recommended from folds: \{'kind': ", output, re.MULTILINE)
    assert number(r"^first rate: (\S+)$", output) == pytest.approx(1e-3)


def test_epochs(output: str) -> None:
    assert "epochs: (1, 3, 9, 27)" in output
    assert "evaluations: {1: 12, 3: 4, 9: 1, 27: 1}" in output
    assert number(r"^(\S+) full trainings instead of 12$", output) == pytest.approx(1.6, abs=0.05)
    assert "rows: {150: 9, 449: 3, 1347: 1}" in output
    assert number(r"^error with all rows: (\S+)$", output) < 0.3


@pytest.mark.skipif(not TORCH, reason="needs PyTorch, which the extra `torch` brings")
def test_neural_network(output: str) -> None:
    assert "evaluations: {1: 12, 3: 4, 9: 1, 27: 1}" in output
    assert "went on from a state: 6 of 6" in output
    assert number(r"^error: (\S+)$", output) < 0.2


def test_ask_and_tell(output: str) -> None:
    assert number(r"^40 trials: \d+ ok, \d+ error; best loss (\S+) ", output) < 0.3
    first, second, third = output.splitlines()
    assert re.match(r"40 trials: \d+ ok, \d+ error; best loss 0\.\d+ \(trial \d+\) at ", first)
    assert re.match(
        r"41 trials, best loss 0\.\d+ with \{'catalyst': 'acid', 'minutes': \d+", second
    )
    assert third == "43 trials after 2 more"


def test_failures(output: str) -> None:
    statuses = re.findall(r"^(\d) (\w+) ", output, re.MULTILINE)
    assert statuses == list(
        zip("01234", ["ok", "error", "timeout", "crashed", "fail"], strict=True)
    )


def test_resuming(output: str) -> None:
    assert number(r"^10 trials, best loss (\S+)$", output) >= number(
        r"^20 trials, best loss (\S+)$", output
    )
    assert "20 trials: 20 ok; best loss" in output


def test_tracking(output: str) -> None:
    assert "12 trials in MLflow; the best is trial " in output
    assert re.search(r"^loss \S+ at x=\S+$", output, re.MULTILINE)
    assert "<Report: " in output


def test_clusters(output: str) -> None:
    assert number(r"^mean squared error (\S+) with \{'penalty': ", output) < 1.1


def test_random_forest(output: str) -> None:
    for kind in ("Serial", "Spark"):
        assert number(rf"^{kind}: 8 trials in (\S+) s$", output) > 0
    assert (
        len(re.findall(r"with \{'criterion': '(?:gini|entropy)', 'max_depth': \d+, ", output)) == 2
    )
    default = number(r"^Default parameters: loss (\S+)$", output)
    assert number(r"best loss (\S+) with", output) < default


def test_model_selection(output: str) -> None:
    tried = [int(count) for count in re.findall(r": (\d+) trials, ", output)]
    assert len(tried) == 2
    assert sum(tried) == 16
    assert number(r"error (\S+), standard deviation", output) < 0.1
    failed = number(r"^LinearSVC: \d+ trials, (\d+) failed", output)
    assert number(r"^Counter\(\{.*penalty='l1' and loss='hinge'.*: (\d+)\}\)$", output) == failed


def test_hyperopt_sklearn(output: str) -> None:
    assert number(r"accuracy on new digits: (\S+)", output) > 0.3
    assert "6 trials of a support vector machine" in output


def test_automl(output: str) -> None:
    assert number(r"on new wines: (\S+)", output) > 0.8
    assert "model = Pipeline(steps=[('columns'," in output


def test_search_cv(output: str) -> None:
    best = number(r"^best: (\S+), corrected", output)
    assert 0.9 < number(r"corrected: (\S+)$", output) <= best + 0.01
    assert number(r"^on new data: (\S+)$", output) > 0.9
    assert number(r"^(\d+) of 60 fits; best: \{'svc__C'", output) < 60
    assert number(r"^log loss on new data: (\S+)$", output) < 0.5


def test_spark_ml(output: str) -> None:
    best = number(r"^Best loss (\S+) with \{'featureSubsetStrategy': ", output)
    assert best < number(r"^Default parameters: loss (\S+)$", output)


def test_an_example_under_spark_submit_runs_with_the_settings_given_there(
    output: str, folder: Path
) -> None:
    assert number(r"^Spark: 4 trials in (\S+) s$", output) > 0
    [events] = [path.read_text() for path in folder.rglob("events*")]
    for setting in ('"spark.master":"local[2]"', '"spark.driver.memory":"2g"'):
        assert setting in events


def test_submit(output: str, folder: Path) -> None:
    assert number(r"^best loss  (\S+) \(trial \d\)$", output) > 0
    assert len(Trials.load(folder / "forest.jsonl")) == 4


def test_the_study_in_conf_runs_on_a_spark_of_its_own(output: str) -> None:
    assert number(r"^best loss  (\S+) \(trial \d\)$", output) > 0
