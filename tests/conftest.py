"""Fixtures shared by all tests: one Spark session of each kind for the whole run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

os.environ["PYSPARK_PYTHON"] = sys.executable

StartServer: TypeAlias = Callable[
    [str], AbstractContextManager[tuple[str, "subprocess.Popen[str]"]]
]

SERVER = """
import sys, sparktune

session = sparktune.local_session(
    spark__plugins="org.apache.spark.sql.connect.SparkConnectPlugin",
    spark__connect__grpc__binding__port=sys.argv[1],
    spark__sql__artifact__isolation__enabled="true",
    spark__master=sys.argv[2],
)
print("ready", flush=True)
sys.stdin.read()
"""


def pytest_configure(config: pytest.Config) -> None:
    """pyspark 3 leaves sockets to the garbage collector."""
    with suppress(PackageNotFoundError):
        if version("pyspark").startswith("3."):
            config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")


@contextmanager
def connect_server(master: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A Spark Connect server in a process of its own: its address, and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVER, str(port), master]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == "ready\n"
            yield f"sc://127.0.0.1:{port}", server
        finally:
            server.stdin.close()


@pytest.fixture(scope="session")
def connect_there() -> None:
    """Skips the test where there is no client or no server of Spark Connect."""
    pytest.importorskip("grpc", reason="Spark Connect needs the extra `connect`")
    import pyspark

    if any(Path(pyspark.__path__[0], "jars").glob("spark-connect_*.jar")):
        return
    package = f"org.apache.spark:spark-connect_2.12:{pyspark.__version__}"
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--packages {package} pyspark-shell"
    command = [sys.executable, "-c", "import sparktune; sparktune.local_session(1)"]
    if subprocess.run(command, capture_output=True).returncode:
        del os.environ["PYSPARK_SUBMIT_ARGS"]
        pytest.skip(f"this pyspark brings no Spark Connect server, and there is no {package}")


@pytest.fixture(scope="session")
def start_server(connect_there: None) -> StartServer:
    """Starts Spark Connect servers."""
    return connect_server


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A classic session with four slots."""
    from sparktune import local_session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark's own, while it starts
        session = local_session(4)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def connect(connect_there: None) -> Iterator[Any]:
    """A Spark Connect session with four slots."""
    with warnings.catch_warnings(), connect_server("local[4]") as (url, _):
        warnings.simplefilter("ignore")  # pyspark's own, while it starts
        # Not SparkSession.builder, which refuses a second kind of session in one process.
        from pyspark.sql.connect.session import SparkSession

        session = SparkSession.builder.remote(url).getOrCreate()
        yield session
        session.stop()
