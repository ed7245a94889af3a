"""Sessions that are missing, stopped, interrupted: each in a process of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
    )


def test_no_java_is_said_in_one_sentence(tmp_path: Path) -> None:
    code = "import sparktune; sparktune.SparkTrials(parallelism=2)"
    result = python(code, JAVA_HOME=str(tmp_path))
    last = result.stderr.strip().splitlines()[-1]
    assert "SparkUnavailable: Spark needs Java 17 or newer, and JAVA_HOME is" in last
    result = python(code, JAVA_HOME="", PATH=str(tmp_path))
    last = result.stderr.strip().splitlines()[-1]
    assert "SparkUnavailable: Spark needs Java 17 or newer, and there is no `java`" in last


def test_no_pyspark_names_the_extra_to_install() -> None:
    result = python(
        """
        import sys
        sys.modules["pyspark"] = None
        import sparktune
        print(sparktune.fmin(abs, sparktune.hp.uniform("x", 0, 1), max_evals=2, verbose=False))
        sparktune.SparkTrials(parallelism=2)
        """
    )
    assert result.stdout.startswith("{'x': ")
    assert "pip install 'sparktune[spark]'" in result.stderr.strip().splitlines()[-1]


def test_a_quiet_session_is_started_if_there_is_none_and_its_workers_need_no_sparktune() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYSPARK_PYTHON"}
    code = """
        import sys, sparktune
        def objective(x):
            import sys, time
            time.sleep(1)  # Spark would draw a bar of its own after half a second
            known = "sparktune" in sys.modules
            return {"loss": x, "status": "ok", "python": sys.executable, "known": known}
        trials = sparktune.SparkTrials(parallelism=2)
        sparktune.fmin(objective, sparktune.hp.uniform("x", 0, 1), max_evals=2, trials=trials)
        print({result["python"] == sys.executable for result in trials.results})
        print({result["known"] for result in trials.results})
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert result.stdout.split() == ["{True}", "{False}"], result.stderr
    expected = re.compile(r"\s*|\s*\d+%\|.*|WARNING: Using incubator modules: .*|2 trials: .*")
    assert [line for line in result.stderr.splitlines() if not expected.fullmatch(line)] == []


def test_a_stopped_session_is_refused_and_one_stopped_under_a_run_ends_it() -> None:
    result = python(
        """
        import threading, time, sparktune
        from sparktune import SparkTrials, fmin, hp

        session = sparktune.local_session(4)
        trials = SparkTrials(parallelism=2)

        def objective(x):
            time.sleep(0.05 if x < 0.5 else 600)
            return x

        def stop_session(trials):
            begun.append(time.monotonic())
            stopping.start()
            return False

        begun = []
        stopping = threading.Thread(target=session.stop)
        try:
            fmin(objective, hp.uniform("x", 0.5, 1), max_evals=9, trials=trials,
                 points_to_evaluate=[{"x": 0.1}], early_stop_fn=stop_session, verbose=False)
        except sparktune.SparkUnavailable as error:
            print("1", error)
        print("2", trials.count_successful_trials(), trials.count_by_state_unsynced([0, 1]))
        print("3", time.monotonic() - begun[0] < 120)
        try:
            SparkTrials(parallelism=2, spark_session=session)
        except sparktune.SparkUnavailable as error:
            print("4", error)
        stopping.join()
        sparktune.local_session(2)
        fmin(lambda x: x, hp.uniform("x", 0, 1), max_evals=9, trials=trials, verbose=False)
        print("5", trials.count_successful_trials())
        """
    )
    lines = result.stdout.splitlines()
    assert lines[0].startswith("1 the Spark session was stopped, or its JVM ended, while")
    assert lines[1:3] == ["2 1 0", "3 True"]
    assert lines[3].startswith("4 the Spark session has been stopped. On Databricks")
    assert lines[4] == "5 9"


RUNS_UNTIL_CTRL_C = """
import threading, time, sparktune
from pyspark.sql import SparkSession
from sparktune import SparkTrials, ThreadTrials, fmin, hp

session = {session}

def active_jobs():
    tracker = session.sparkContext.statusTracker()
    end = time.monotonic() + 60
    while tracker.getActiveJobsIds() and time.monotonic() < end:
        time.sleep(0.05)  # Spark tells the tracker a moment after it tells us
    return list(tracker.getActiveJobsIds())

def running_queries():
    # What is left on a server of Connect once nobody waits for a query: one that came there late
    # is cancelled when it has come.
    end = time.monotonic() + 60
    while any(thread.name.startswith("sparktune-") for thread in threading.enumerate()):
        if time.monotonic() > end:
            break
        time.sleep(0.05)
    return session.interruptAll()

for number, (kind, options) in enumerate([{runs}]):
    def objective(x):
        with open({folder!r} + str(number), "w") as file:
            file.write("started")
        time.sleep(600)

    trials = kind(parallelism={parallelism}, **options)
    try:
        fmin(objective, hp.uniform("x", 0, 1), max_evals=9, trials=trials, verbose=False)
    except KeyboardInterrupt:
        print("interrupted", trials.count_by_state_unsynced([0, 1]),
              trials.count_cancelled_trials(), flush=True)
    print("jobs", {left}, flush=True)
"""
CLASSIC = "sparktune.local_session(2)"
CONNECT = "SparkSession.builder.remote('{url}').getOrCreate()"


CLASSIC_RUNS = "(SparkTrials, {}), (SparkTrials, {'batch': 8}), (ThreadTrials, {})"


@pytest.mark.parametrize(
    ("session", "runs", "parallelism", "inside", "left"),
    [
        (CLASSIC, CLASSIC_RUNS, 2, [3, 9, 3], "active_jobs()"),
        (CONNECT, "(SparkTrials, {}),", 4, [5], "running_queries()"),
    ],
    ids=["Classic", "Connect"],
)
def test_ctrl_c_ends_the_run_within_seconds_and_frees_the_cluster(
    session: str,
    runs: str,
    parallelism: int,
    inside: list[int],
    left: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """The trials would sleep for ten minutes, so that a minute tells, on a busy machine too.
    `inside` is how many trials each run has begun.
    """
    if session == CONNECT:
        session = session.format(url=request.getfixturevalue("connect_url"))
    paths = [tmp_path / f"{number}" for number in range(len(inside))]
    for path in paths:
        os.mkfifo(path)
    pipes = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in paths]
    code = RUNS_UNTIL_CTRL_C.format(
        session=session,
        runs=runs,
        folder=f"{tmp_path}/",
        parallelism=parallelism,
        left=left,
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(300, process.kill)
        watchdog.start()
        for pipe, begun_trials in zip(pipes, inside, strict=True):
            assert select.select([pipe], [], [], 120)[0], "no trial has started"
            begun = time.monotonic()
            os.kill(process.pid, signal.SIGINT)
            assert process.stdout.readline() == f"interrupted 0 {begun_trials}\n"
            assert time.monotonic() - begun < 60
            assert process.stdout.readline() == "jobs []\n"
        _, errors = process.communicate(timeout=120)
        watchdog.cancel()
    for pipe in pipes:
        os.close(pipe)
    assert process.returncode == 0, errors
