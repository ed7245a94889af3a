"""Trials that need several CPUs each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

PROGRAM = """
import tempfile, time
import pyspark, sparktune
from pyspark.sql import SparkSession
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
from sparktune import SparkTrials, fmin, hp

{start}
profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
trials = SparkTrials("auto", resource_profile={profile})
inside, folder = [], tempfile.mkdtemp()

def objective(x):  # the first two wait for each other, so that two run at once if two can
    import os
    open(os.path.join(folder, str(x)), "w").close()
    end = time.monotonic() + 120
    while len(os.listdir(folder)) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    return {{"loss": x, "status": "ok", "threads": os.environ["OMP_NUM_THREADS"]}}

def count(trials):
    inside.append(trials.count_by_state_unsynced([0, 1]))
    return False

fmin(objective, hp.uniform("x", 0, 1), max_evals=8, trials=trials, early_stop_fn=count,
     verbose=False)
spans = [(trial.started, trial.finished) for trial in trials.records.values()]
at_once = [sum(other[0] <= span[0] < other[1] for other in spans) for span in spans]
print(max(at_once), max(inside) < 3, *{{result["threads"] for result in trials.results}})
"""
SETTING = "session = sparktune.local_session(4, spark__task__cpus=2)"
CLASSIC = "session = sparktune.local_session()"  # the active one
CONNECT = 'session = SparkSession.builder.remote("{url}").getOrCreate()'


@pytest.mark.parametrize(
    ("start", "profile"),
    [(SETTING, "None"), (CLASSIC, "profile"), (CONNECT, "profile")],
    ids=["spark.task.cpus", "profile on classic", "profile on connect"],
)
def test_as_many_trials_run_as_there_are_cpus_for_one_waits_and_threads_are_as_many(
    start: str,
    profile: str,
    local_cluster: Callable[[str], Any],
    request: pytest.FixtureRequest,
) -> None:
    import pyspark

    if start == CONNECT:
        request.getfixturevalue("connect_there")
    four = None if start == SETTING else local_cluster("local-cluster[1,4,1024]")
    code = PROGRAM.format(start=start.format(url=four and four.url), profile=profile)
    if start == CLASSIC and four:
        out, err = four.run(code)
    else:
        result = subprocess.run(
            [sys.executable, "-c", f"{code}session.stop()"],
            capture_output=True,
            text=True,
            timeout=300,
        )
        out, err = result.stdout, result.stderr
    known = start == SETTING or tuple(map(int, pyspark.__version__.split(".")[:2])) >= (4, 3)
    assert out.split() == ["2", "True", "2" if known else "1"], err
