"""Tests that take `session` or `spark_trials` run on Spark Classic and on Spark Connect; those that
take `standalone` share a cluster.
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from sparktune import SparkTrials, fmin, hp
from sparktune.executors.spark_session import is_connect
from tests.conftest import connect_server


def gathering(folder: Path, n: int, stay: float = 0.0) -> Callable[[Any], float]:
    """An objective of which n run at once, and `stay` seconds on, or it raises."""
    path = str(folder)
    os.makedirs(path, exist_ok=True)

    def gather(config: Any) -> float:
        with open(os.path.join(path, uuid.uuid4().hex), "w"):
            end = time.monotonic() + 120
        while len(os.listdir(path)) < n:
            if time.monotonic() > end:
                raise TimeoutError(f"there are not {n} at once")
            time.sleep(0.01)
        time.sleep(stay)
        return 0.0

    return gather


@pytest.fixture
def gather(tmp_path: Path) -> Callable[..., Callable[[Any], float]]:
    """Objectives `gather(n)` of which n run at once, or they raise."""
    return functools.partial(gathering, tmp_path / "gathering")


LOCAL_CONNECT = """
import os
from pyspark import SparkContext
from pyspark.sql import SparkSession

SparkContext._ensure_initialized()
os.environ["SPARK_TESTING"] = ""  # pyspark, not Spark, which runs already, takes any free port
session = SparkSession.builder.remote({master!r}).getOrCreate()
"""


@pytest.fixture(scope="session")
def local_connect(connect_there: None) -> Callable[..., str]:
    """The first lines of a program that starts a Spark Connect server itself, at any port: two such
    programs may run at once. `local_connect(master="local[2]")`
    """
    return LOCAL_CONNECT.format


@pytest.fixture(params=["classic", "connect"])
def session(request: pytest.FixtureRequest) -> Any:
    """A session of each kind, with four slots."""
    return request.getfixturevalue({"classic": "spark"}.get(request.param, request.param))


@pytest.fixture
def spark_trials(session: Any, batch: int | str) -> Callable[..., SparkTrials]:
    """`SparkTrials` on that session."""
    return functools.partial(SparkTrials, spark_session=session, batch=batch)


@pytest.fixture
def batch() -> int | str:
    """How many trials share a task."""
    return "auto"


eight_a_task_too = pytest.mark.parametrize("batch", ["auto", 8], ids=["", "eight a task"])
"""For tests that hold, too, where trials share tasks."""


@pytest.fixture
def warm(session: Any, tmp_path: Path) -> None:
    """That session has four processes that wait for work, so that a limit of some seconds need not
    allow for their start, which takes as long where the machine is busy.
    """
    trials = SparkTrials(4, spark_session=session)
    space = hp.uniform("x", 0, 1)
    fmin(gathering(tmp_path / "warm", 4), space, max_evals=4, trials=trials, verbose=False)
    assert trials.count_successful_trials() == 4


@pytest.fixture
def nothing_runs(
    session: Any, wait_until: Callable[..., None], request: pytest.FixtureRequest
) -> Callable[[], bool]:
    """Waits until no job runs on that session's Spark, which tells so a moment after it tells us
    that trials have ended.
    """

    def no_jobs() -> bool:
        if not is_connect(session):
            return list(session.sparkContext.statusTracker().getActiveJobsIds()) == []
        _, server = request.getfixturevalue("own_server")
        server.stdin.write("\n")
        server.stdin.flush()
        return int(server.stdout.readline()) == 0

    def check() -> bool:
        wait_until(no_jobs)
        return True

    return check


def spark_class(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """One of Spark's own servers, in a process of its own."""
    import pyspark

    command = [os.path.join(pyspark.__path__[0], "bin", "spark-class"), name, *arguments]
    quiet = subprocess.DEVNULL
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(
        command, stdout=quiet, stderr=quiet, start_new_session=True, env=environment
    )


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Standalone:
    """A standalone master, and workers of one core each."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"spark://127.0.0.1:{port}"
        self._folder = folder
        self._workers: list[subprocess.Popen[bytes]] = []
        self._master = self._start("master.Master", "127.0.0.1", "--port", str(port))
        end = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < end, "the master does not start"

    def start_workers(self) -> None:
        """Two, on what Spark takes for two machines; if they are there, nothing happens."""
        if self._workers:
            return
        limits = ("--cores", "1", "--memory", "1g", "--work-dir", str(self._folder))
        for host in ("127.0.0.1", "127.0.0.2"):
            self._workers.append(self._start("worker.Worker", host, *limits, self.address))

    def kill_workers(self) -> None:
        """And their executors."""
        for worker in self._workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self._workers.clear()

    def close(self) -> None:
        self.kill_workers()
        self._master.kill()
        self._master.wait()

    def _start(self, name: str, host: str, *arguments: str) -> subprocess.Popen[bytes]:
        here = ("--host", host, "--webui-port", "0")
        return spark_class(f"org.apache.spark.deploy.{name}", *here, *arguments)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A standalone cluster, maybe without workers."""
    with closing(Standalone(tmp_path_factory.mktemp("work"))) as started:
        yield started


@pytest.fixture
def standalone(cluster: Standalone) -> Standalone:
    """A standalone cluster of two workers, which a test may kill."""
    cluster.start_workers()
    return cluster


class LocalCluster:
    """A process with a classic session on executors of its own, on which Spark Connect serves, too.

    Attributes:
        url: the address of Spark Connect.
    """

    def __init__(self, url: str, process: subprocess.Popen[str], folder: Path) -> None:
        self.url = url
        self._process = process
        self._folder = folder

    def run(self, code: str) -> tuple[str, str]:
        """What a program writes to stdout and stderr that uses the classic session."""
        program = self._folder / f"{uuid.uuid4().hex}.py"
        program.write_text(code, encoding="utf-8")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(600, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        print(program, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline(), "the program did not end"
        watchdog.cancel()
        out, err = (Path(f"{program}.{stream}").read_text() for stream in ("out", "err"))
        return out, err


@pytest.fixture(scope="session")
def local_cluster(
    no_connect: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], LocalCluster]]:
    """The process for a master such as `local-cluster[2,1,1024]`, which tests share."""
    with ExitStack() as running:

        @functools.cache
        def started(master: str) -> LocalCluster:
            server = running.enter_context(connect_server(master, connect=not no_connect))
            return LocalCluster(*server, tmp_path_factory.mktemp("programs"))

        yield started
