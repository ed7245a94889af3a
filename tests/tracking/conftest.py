"""One server of MLflow for all tests, and an experiment for each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tracking.store import Server


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    log = folder / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "server.py"), str(folder)],
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
        port = process.stdout.readline().strip()
        assert port, log.read_text()
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()


@pytest.fixture
def server(server_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that works; an experiment for this test alone."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server_uri)
    found = Server(server_uri, f"test-{uuid.uuid4().hex[:8]}")
    found.mode("ok")
    yield found
    found.mode("ok")
    mlflow.end_run()
