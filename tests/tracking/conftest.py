"""One server of MLflow for all tests, and an experiment for each of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tracking.store import Server


class Processes:
    """What makes processes that have MLflow already (`server.py`)."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        with self._log.open("a") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "server.py"), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=folder,
                env=os.environ | {"PYTHONWARNINGS": "ignore", "MLFLOW_TRACKING_URI": ""},
            )

    def serve(self, port: int = 0) -> None:
        """A server, at a port that is free or this one."""
        self.port, self.pid = map(int, self._answer("serve", port).split())

    @property
    def uri(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """The server is gone at once."""
        os.kill(self.pid, signal.SIGKILL)

    def run(self, program: str, *arguments: str) -> int:
        """The exit code of a program in a process of its own."""
        return int(self._answer("run", program, *arguments))

    def _answer(self, *order: Any) -> str:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(order), file=self.process.stdin, flush=True)
        found = self.process.stdout.readline().strip()
        assert found, self._log.read_text()
        return found


@pytest.fixture(scope="session")
def mlflows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Processes of MLflow, with a server."""
    found = Processes(tmp_path_factory.mktemp("mlflow"))
    with found.process:
        found.serve()
        yield found


@pytest.fixture
def server(mlflows: Processes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that works; an experiment for this test alone."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflows.uri)
    monkeypatch.setattr("sparktune.tracking.observer._PARENT", 300.0)  # the machine may be busy
    found = Server(mlflows.uri, f"test-{uuid.uuid4().hex[:8]}")
    found.mode("ok")
    yield found
    found.mode("ok")
    mlflow.end_run()
