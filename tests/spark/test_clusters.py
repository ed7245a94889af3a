"""Executors of real clusters that die under a run: local-cluster, and a standalone master."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

LOCAL_CLUSTER = "local-cluster[2,1,1024]"
CLASSIC = 'session = sparktune.local_session(spark__master="{master}")'
CONNECT = 'session = SparkSession.builder.remote("{master}").getOrCreate()'

PROGRAM = """
import os, pathlib, signal, sys, time
import sparktune
from pyspark.sql import SparkSession
from sparktune import SparkTrials, fmin, hp

{start}
log = pathlib.Path({log!r})

def kill_executor():
    pid = os.getppid()
    while b"java" not in pathlib.Path(f"/proc/{{pid}}/cmdline").read_bytes():
        pid = int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().split()[3])
    os.kill(pid, signal.SIGKILL)
    time.sleep(600)

def objective(kind):
    with open(log / kind, "a") as file:
        file.write("x")
    first = (log / kind).read_text() == "x"
    if kind == "loses its executor each time" or kind == "loses its executor once" and first:
        kill_executor()
    if kind == "raises":
        raise ValueError
    if kind == "exits":
        os._exit(3)
    return 0.0

kinds = ["works", "loses its executor once", "raises", "exits", "loses its executor each time",
         "works too"]
trials = SparkTrials(parallelism=2, retries=1)
fmin(objective, hp.choice("kind", kinds), max_evals=0, trials=trials, verbose=False,
     points_to_evaluate=[{{"kind": kind}} for kind in range(6)])
for kind, trial in zip(kinds, trials.records.values()):
    print(kind, trial.status.value, len((log / kind).read_text()), sep=": ")
    print(trial.failure, file=sys.stderr)
session.stop()
"""


def spark_class(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """One of Spark's own servers, in a process of its own."""
    import pyspark

    command = [os.path.join(pyspark.__path__[0], "bin", "spark-class"), name, *arguments]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[str]:
    """A standalone master with two workers of one core each: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = ("--host", "127.0.0.1", "--webui-port", "0")
    deploy = "org.apache.spark.deploy"
    limits = ("--cores", "1", "--memory", "1g", "--work-dir", str(tmp_path / "work"))
    with ExitStack() as running:

        def start(name: str, *arguments: str) -> None:
            server = spark_class(f"{deploy}.{name}", *here, *arguments)
            running.callback(server.wait)
            running.callback(server.kill)

        start("master.Master", "--port", str(port))
        end = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < end, "the master does not start"
        for _ in range(2):
            start("worker.Worker", *limits, f"spark://127.0.0.1:{port}")
        yield f"spark://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("start", "master", "exits"),
    [
        (CLASSIC, LOCAL_CLUSTER, 1),
        (CLASSIC, "standalone", 1),
        # Spark Connect does not tell whether the process or its executor died.
        (CONNECT, LOCAL_CLUSTER, 2),
    ],
    ids=["classic, local-cluster", "classic, standalone", "connect, local-cluster"],
)
def test_lost_executors_cost_a_trial_its_retries_and_the_others_nothing(
    start: str, master: str, exits: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if start == CONNECT:
        pytest.importorskip("grpc", reason="Spark Connect needs the extra `connect`")
    if master == "standalone":
        master = request.getfixturevalue("standalone")
    log = tmp_path / "log"
    log.mkdir()
    code = textwrap.dedent(PROGRAM).format(start=start.format(master=master), log=str(log))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180
    )
    assert result.stdout.splitlines() == [
        "works: ok: 1",
        "loses its executor once: ok: 2",
        "raises: error: 1",
        f"exits: crashed: {exits}",
        "loses its executor each time: crashed: 2",
        "works too: ok: 1",
    ], result.stderr
    if start == CLASSIC:
        assert "ExecutorLostFailure" in result.stderr
        assert "the Python process that ran this trial died" in result.stderr


def test_executors_that_come_while_a_run_goes_on_are_asked_for_and_used(standalone: str) -> None:
    code = f"""
        import time, sparktune
        from sparktune import SparkTrials, fmin, hp

        session = sparktune.local_session(
            spark__master={standalone!r},
            spark__dynamicAllocation__enabled="true",
            spark__dynamicAllocation__shuffleTracking__enabled="true",
            spark__dynamicAllocation__initialExecutors=1,
            spark__dynamicAllocation__minExecutors=1,
            spark__executor__cores=1,
        )

        def objective(x):
            import os  # the working directory is one of the executor's own
            time.sleep(1)
            return {{"loss": x, "status": "ok", "where": os.getcwd()}}

        trials = SparkTrials("auto")
        fmin(objective, hp.uniform("x", 0, 1), max_evals=30, trials=trials, verbose=False)
        print(len({{result["where"] for result in trials.results}}))
        session.stop()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert result.stdout.split() == ["2"], result.stderr
