"""One server of MLflow for all tests, and an experiment for each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tracking.store import Server


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL of a server that keeps its runs in a folder, and its process."""
    log = folder / "log"
    with (
        log.open("a") as stderr,
        subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "server.py"), str(folder), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=folder,
            env=os.environ | {"PYTHONWARNINGS": "ignore", "MLFLOW_TRACKING_URI": ""},
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        found = process.stdout.readline().strip()
        assert found, log.read_text()
        yield f"http://127.0.0.1:{found}", process
        process.stdin.close()


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("mlflow")) as (uri, _):
        yield uri


@pytest.fixture
def server(server_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that works; an experiment for this test alone."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server_uri)
    monkeypatch.setattr("sparktune.tracking.observer._PARENT", 300.0)  # the machine may be busy
    found = Server(server_uri, f"test-{uuid.uuid4().hex[:8]}")
    found.mode("ok")
    yield found
    found.mode("ok")
    mlflow.end_run()
