"""Every example as its users run it: as a script, and under spark-submit with the settings of
conf/.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sparktune import Trials

REPOSITORY = Path(__file__).parents[2]
SPARK_SUBMIT = str(Path(sys.executable).parent / "spark-submit")


def run(*command: str, evaluations: int, **environment: str) -> str:
    """What a command prints, after a look at its progress bar and at what else is on stderr.

    spark-submit merges a script's stderr into its stdout.
    """
    settings = {"MAX_EVALS": str(evaluations), "PYSPARK_PYTHON": sys.executable}
    result = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | settings | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert result.returncode == 0, result.stderr
    assert f" {evaluations}/{evaluations} " in result.stdout + result.stderr
    lines = result.stderr.splitlines()
    expected = re.compile(r"\s*\d+%\|.*|WARNING: Using incubator modules: .*|")
    assert [line for line in lines if not expected.fullmatch(line)] == []
    return result.stdout


def number(pattern: str, output: str) -> float:
    """The number that a pattern's group finds."""
    found = re.search(pattern, output, re.MULTILINE)
    assert found, f"{pattern} does not match:\n{output}"
    return float(found[1])


@pytest.mark.parametrize("path", sorted((REPOSITORY / "examples").iterdir()), ids=lambda p: p.name)
def test_every_example_is_a_databricks_notebook_and_has_a_test(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# Databricks notebook source", "# MAGIC %md"]
    assert "# COMMAND ----------" in lines
    assert f"test_{path.stem}" in globals()


def test_polynomial() -> None:
    output = run(sys.executable, "examples/polynomial.py", evaluations=100)
    assert number(r"^\{'x': (\S+)\}$", output) == pytest.approx(2.25, abs=0.1)


def test_random_forest() -> None:
    output = run(sys.executable, "examples/random_forest.py", evaluations=8)
    for kind in ("Trials", "SparkTrials"):
        assert number(rf"^{kind}: 8 trials in (\S+) s$", output) > 0
    assert (
        len(re.findall(r"with \{'criterion': '(?:gini|entropy)', 'max_depth': \d+, ", output)) == 2
    )
    default = number(r"^Default parameters: loss (\S+)$", output)
    assert number(r"best loss (\S+) with", output) < default


def test_model_selection() -> None:
    output = run(sys.executable, "examples/model_selection.py", evaluations=16)
    tried = [int(count) for count in re.findall(r": (\d+) trials, ", output)]
    assert len(tried) == 2
    assert sum(tried) == 16
    assert number(r"error (\S+), standard deviation", output) < 0.1
    failed = number(r"^LinearSVC: \d+ trials, (\d+) failed", output)
    assert number(r"^Counter\(\{.*penalty='l1' and loss='hinge'.*: (\d+)\}\)$", output) == failed


def test_spark_ml() -> None:
    output = run(sys.executable, "examples/spark_ml.py", evaluations=4)
    best = number(r"^Best loss (\S+) with \{'featureSubsetStrategy': ", output)
    assert best < number(r"^Default parameters: loss (\S+)$", output)


def test_an_example_under_spark_submit_runs_with_the_settings_given_there(tmp_path: Path) -> None:
    command = [SPARK_SUBMIT, "--master", "local[2]", "--conf", "spark.eventLog.enabled=true"]
    command += [
        "--conf",
        f"spark.eventLog.dir={tmp_path}",
        "--conf",
        "spark.eventLog.compress=false",
    ]
    output = run(*command, "examples/random_forest.py", evaluations=4, SPARK_CONF_DIR="conf")
    assert number(r"^SparkTrials: 4 trials in (\S+) s$", output) > 0
    [events] = [path.read_text() for path in tmp_path.rglob("events*")]
    for setting in ('"spark.master":"local[2]"', '"spark.driver.memory":"2g"'):
        assert setting in events


def test_submit(tmp_path: Path) -> None:
    arguments = ["conf/random_forest.toml", "--set=budget.max_evals=4", "--progress"]
    arguments += ["--set", f"journal={tmp_path / 'forest.jsonl'}"]
    command = [SPARK_SUBMIT, "--master", "local[2]", "examples/submit.py"]
    output = run(*command, *arguments, evaluations=4, SPARK_CONF_DIR="conf")
    assert number(r"^best loss  (\S+) \(trial \d\)$", output) > 0
    assert len(Trials.load(tmp_path / "forest.jsonl")) == 4


def test_the_study_in_conf_runs_on_a_spark_of_its_own() -> None:
    command = [sys.executable, "-m", "sparktune", "run", "conf/random_forest.toml"]
    output = run(*command, "--set=budget.max_evals=6", "--progress", evaluations=6)
    assert number(r"^best loss  (\S+) \(trial \d\)$", output) > 0
