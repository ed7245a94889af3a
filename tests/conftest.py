"""Fixtures shared by all tests: one Spark session of each kind for the whole run."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

# The arrays of tests are small, and threads that wait for each other's shares of them take several
# times the CPU. Whoever loads numpy first decides.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tests import jvms

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable
# On a busy machine an example takes long for no fault of its own; and each run has the same ones.
settings.register_profile(
    "busy",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("busy")

StartServer: TypeAlias = Callable[
    [str], AbstractContextManager[tuple[str, "subprocess.Popen[str]"]]
]
WaitUntil: TypeAlias = Callable[[Callable[[], Any]], None]
KEEPING = pytest.StashKey["subprocess.Popen[bytes] | None"]()

# What old versions warn of: pyspark 3 leaves sockets to the garbage collector, matplotlib 3.8 calls
# pyparsing by names that later ones have changed, Hyperopt gives arrays another shape.
OLD = {
    ("hyperopt", "0."): "ignore:Setting the shape on a:DeprecationWarning",
    ("pyspark", "3."): "ignore:unclosed <socket:ResourceWarning",
    ("matplotlib", "3.8"): r"ignore:'\w+' (deprecated|argument is deprecated):DeprecationWarning",
}

# What Spark learns by heartbeats only is never known in time, so nothing may rely on it.
HEARTBEATS = {"spark__executor__heartbeatInterval": "300s", "spark__network__timeout": "1000s"}

SERVER = """
import contextlib, runpy, sys, traceback
import sparktune

connect = sys.argv[2] == "True"
plugin = {{
    "spark__plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark__connect__grpc__binding__port": 0,
    "spark__sql__artifact__isolation__enabled": "true",
}}
session = sparktune.local_session(
    spark__master=sys.argv[1], **(plugin if connect else {{}}), **{heartbeats}
)
port = 0
if connect:
    service = getattr(session._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")
    port = getattr(service, "MODULE$").localPort()
print(port, flush=True)
for line in sys.stdin:  # the path of a program to run; "": asks how many jobs run
    if path := line.strip():
        with open(path + ".out", "w") as out, open(path + ".err", "w") as err:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    runpy.run_path(path, run_name="__main__")
                except BaseException:
                    traceback.print_exc()
    print(len(session.sparkContext.statusTracker().getActiveJobsIds()), flush=True)
"""


# Groups of tests that need Spark: on sessions that they share, and on some of their own.
SESSIONS = {
    "standalone": "clusters",
    "cluster": "clusters",
    "local_cluster": "local clusters",
    "connect_url": "connect",
    "spark": "classic",
}
SPARK = (*SESSIONS.values(), "golden/test_hyperopt_suite", "examples/test_examples", "spark/")
# Tests of a server, a browser or a kernel that takes as long to start.
SERVERS = {"mlflows": "tracking", "browser": "reporting/pages", "cells": "reporting/pages"}
# Files that take long without them, the longest first: those that go on until JVMs may start
# quickly, and others.
FIRST = ("test_style", "tracking", "conformance/test_samplers", "budgets/test_faults")
LONG = (
    "test_cli",
    "journal/",
    "reporting/",
    "hpsklearn/",
    "sklearn/",
    "skopt/",
    "samplers/",
    "plots/",
    "test_simulated",
    "hyperopt/",
    "examples/",
)


def session_of(item: pytest.Item) -> str | None:
    """The session of Spark, or server, that a test shares with others, if any: it has it as a
    fixture, or as one of its parameters.
    """
    call = getattr(item, "callspec", None)
    given = [each for each in call.params.values() if isinstance(each, str)] if call else []
    taken = {*given, *getattr(item, "fixturenames", ())}
    shared = (SESSIONS | SERVERS).items()
    return next((kind for name, kind in shared if name in taken or kind in given), None)


def group_of(item: pytest.Item) -> str:
    """The tests that share a process: those of one session or server, or of one file."""
    file = item.path.relative_to(Path(__file__).parent).with_suffix("").as_posix()
    return session_of(item) or file


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs Spark, and what stays in one process of `pytest -n 3`."""
    group = group_of(item)
    item.add_marker(pytest.mark.xdist_group(group))
    if group.startswith(SPARK):
        item.add_marker("spark")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process is left with it at the end."""

    def place(item: pytest.Item) -> int:
        group, order = group_of(item), (*FIRST, *SPARK, *LONG)
        return next((i for i, start in enumerate(order) if group.startswith(start)), len(order))

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """One of several processes makes the next JVMs start quickly. Nothing that was collected will
    be garbage, so nobody looks for some in it.
    """
    gc.freeze()
    needed = any(item.get_closest_marker("spark") for item in session.items)
    if needed and os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        session.config.stash[KEEPING] = jvms.keep_classes()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing of ours runs on."""
    if keeping := session.config.stash.get(KEEPING, None):
        keeping.wait()


def pytest_configure(config: pytest.Config) -> None:
    """JVMs of tests are quick ones; benchmarks, which import this module, have Java's settings."""
    # Tests, and what their programs import, are compiled once, and not by each process.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Where tests run in background it is ignored, and their programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    jvms.set_options()
    config.addinivalue_line("markers", "spark: needs Spark")
    for (package, old), rule in OLD.items():
        with suppress(PackageNotFoundError):
            if version(package).startswith(old):
                config.addinivalue_line("filterwarnings", rule)


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test draws without a seed, as studies do that have none, is the same in every run."""
    draws = random.Random(request.node.nodeid)
    random.seed(draws.getrandbits(64))
    np.random.seed(draws.getrandbits(32))  # noqa: NPY002
    # A patch of its own: a test's is taken back after what its other fixtures do at the end.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("numpy.random.bit_generator.randbits", draws.getrandbits)
        yield


@contextmanager
def connect_server(
    master: str, connect: bool = True
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A Spark Connect server in a process of its own: its address, and the process, which runs the
    programs whose paths it gets as lines, on a classic session of the same Spark. Then, and after
    an empty line, it tells how many jobs run. Without `connect` there is the classic session only.
    """
    command = [sys.executable, "-c", SERVER.format(heartbeats=HEARTBEATS), master, str(connect)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield f"sc://127.0.0.1:{int(server.stdout.readline())}", server
        finally:
            server.stdin.close()


@pytest.fixture(scope="session")
def no_connect() -> str:
    """Why there is no client or no server of Spark Connect; "" if there are both."""
    if not find_spec("grpc"):
        return "Spark Connect needs the extra `connect`"
    import pyspark

    if any(Path(pyspark.__path__[0], "jars").glob("spark-connect_*.jar")):
        return ""
    package = f"org.apache.spark:spark-connect_2.12:{pyspark.__version__}"
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--packages {package} pyspark-shell"
    command = [sys.executable, "-c", "import sparktune; sparktune.local_session(1)"]
    if subprocess.run(command, capture_output=True).returncode:
        del os.environ["PYSPARK_SUBMIT_ARGS"]
        return f"this pyspark brings no Spark Connect server, and there is no {package}"
    return ""


@pytest.fixture(scope="session")
def connect_there(no_connect: str) -> None:
    """Skips the test where there is no client or no server of Spark Connect."""
    if no_connect:
        pytest.skip(no_connect)


@pytest.fixture(scope="session")
def start_server(connect_there: None) -> StartServer:
    """Starts Spark Connect servers."""
    return connect_server


@pytest.fixture(scope="session")
def wait_until() -> WaitUntil:
    """Returns once a condition holds, and fails where it never does: the two minutes are many
    times what a busy machine takes for what tests wait for.
    """

    def wait(condition: Callable[[], Any]) -> None:
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A classic session with four slots."""
    from sparktune import local_session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark's own, while it starts
        session = local_session(4, **HEARTBEATS)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def own_server(connect_there: None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A Spark Connect server with four slots: its address, and the process."""
    with connect_server("local[4]") as server:
        yield server


@pytest.fixture(scope="session")
def connect_url(own_server: tuple[str, subprocess.Popen[str]]) -> str:
    """The address of that server."""
    return own_server[0]


@pytest.fixture(scope="session")
def connect(spark: SparkSession, connect_url: str) -> Iterator[Any]:
    """A Spark Connect session with four slots. The classic one comes first in every run of tests:
    where a Connect session is active, `local_session` gives that one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark's own, while it starts
        # Not SparkSession.builder, which refuses a second kind of session in one process.
        from pyspark.sql.connect.session import SparkSession

        session = SparkSession.builder.remote(connect_url).getOrCreate()
        yield session
        session.stop()
