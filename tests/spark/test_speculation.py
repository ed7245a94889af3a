"""Executors that come while a run goes on, and trials that Spark runs twice at once, because they
take long: in one program, as each needs executors of its own.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import os, pathlib, sys, time
import sparktune
from sparktune import SparkTrials, fmin, hp

session = sparktune.local_session(
    spark__master=sys.argv[1],
    spark__dynamicAllocation__enabled="true",
    spark__dynamicAllocation__shuffleTracking__enabled="true",
    spark__dynamicAllocation__initialExecutors=1,
    spark__dynamicAllocation__minExecutors=1,
    spark__executor__cores=1,
    spark__speculation="true",
    spark__speculation__interval="100ms",
    spark__speculation__task__duration__threshold="3s",
)

def where(x):  # the working directory is one of the executor's own
    time.sleep(1)
    return {"loss": x, "status": "ok", "where": os.getcwd()}

trials = SparkTrials("auto")
fmin(where, hp.uniform("x", 0, 1), max_evals=30, trials=trials, verbose=False)
print(len({result["where"] for result in trials.results}))

log = pathlib.Path(sys.argv[2])

def twice(winner):
    for copy in ("the first", "the second"):
        try:
            (log / f"{winner} wins: {copy} begins").touch(exist_ok=False)
            break
        except FileExistsError:
            pass
    while winner != "nobody" and len(list(log.glob(f"{winner} wins: *"))) < 2:
        time.sleep(0.05)
    if winner not in (copy, "nobody"):
        time.sleep(600)
    return {"loss": 0, "status": "ok", "copy": copy}

kinds = ["the first", "the second", "nobody"]
trials = SparkTrials(1, retries=0)
fmin(twice, hp.choice("kind", kinds), max_evals=0, trials=trials, verbose=False,
     points_to_evaluate=[{"kind": kind} for kind in range(3)])
print([trial.status.value for trial in trials.records.values()])
print([result["copy"] for result in trials.results])
print(len(list(log.iterdir())))
session.stop()
"""


@pytest.fixture(scope="module")
def lines(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the program prints."""
    cluster.start_workers()
    command = [sys.executable, "-c", PROGRAM, cluster.address]
    result = subprocess.run(
        [*command, str(tmp_path_factory.mktemp("log"))],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_executors_that_come_while_a_run_goes_on_are_asked_for_and_used(lines: list[str]) -> None:
    assert lines[0] == "2"


def test_of_two_copies_of_a_trial_one_result_counts(lines: list[str]) -> None:
    assert lines[1:] == ["['ok', 'ok', 'ok']", "['the first', 'the second', 'the first']", "5"]
