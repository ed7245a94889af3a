"""MLflow is imported here once, which takes seconds; each line of stdin then makes a process that
has it already: ["serve", port] a server, whose port and process id are printed, or
["run", program, arguments...] a Python program, whose exit code is printed.

    python server.py FOLDER     servers keep their runs there; they end when stdin does

A server counts requests and fails as it is told to. GET /-/requests answers
{"METHOD path": how many}; GET /-/mode/MODE changes how it answers: `ok`, `429`, `500`, `hang`,
`gone`: the connection is lost, or `drop`: it makes a run, and the answer is lost.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

PREFIX = "/api/2.0/mlflow/"


class Faulty:
    """A WSGI application that may fail before, or after, another one answers."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._counts: Counter[str] = Counter()
        self._mode = "ok"
        self._hanging = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/-/"):
            return self._told(path, start)
        self._counts[f"{environ['REQUEST_METHOD']} {path.removeprefix(PREFIX)}"] += 1
        if self._mode in ("429", "500"):
            start(f"{self._mode} for a test", [("Content-Type", "text/plain")])
            return [b"not now"]
        if self._mode == "gone":
            environ["werkzeug.socket"].shutdown(2)
            return []
        if self._mode == "hang":
            self._hanging.wait(300)
        if self._mode == "drop" and path.endswith("runs/create"):
            self._mode = "ok"
            list(self._app(environ, lambda *args: None))
            environ["werkzeug.socket"].shutdown(2)
        return self._app(environ, start)

    def _told(self, path: str, start: Callable[..., Any]) -> Iterable[bytes]:
        answer = dict(self._counts)
        if path.startswith("/-/mode/"):
            self._mode = path.rpartition("/")[2]
            self._hanging.set()
            self._hanging = threading.Event()
            self._counts.clear()
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]


def serve(folder: str, alive: int, port: int = 0) -> None:
    """Serve until nobody can write to the pipe `alive` any more."""
    from mlflow.server import app
    from werkzeug.serving import make_server

    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/runs.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": f"{folder}/artifacts",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "false",
    }
    server = make_server("127.0.0.1", port, Faulty(app), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, os.getpid(), flush=True)
    os.read(alive, 1)


def obey(folder: str) -> None:
    """Do what the lines of stdin say. Returns in processes that have done theirs."""
    import mlflow.server

    import sparktune.tracking

    assert mlflow.server.app
    assert sparktune.tracking
    alive, ours = os.pipe()
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        child = os.fork()
        if not child:
            os.close(ours)
            if what == "serve":
                return serve(folder, alive, *arguments)
            sys.argv = ["-c", *arguments[1:]]
            return exec(arguments[0], {"__name__": "__main__"})
        if what == "run":
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


if __name__ == "__main__":
    obey(sys.argv[1])
