"""What tracking by MLflow costs: requests per trial, and wall time with and without it.

    python -m tests.benchmarks.tracking [--trials 200] [--seconds 0.01]

A server of MLflow runs in a process of its own, with SQLite. Trials that take 10 ms each run on
Spark and on threads. Beside it: the fluent API, called by the objective of the same run; and
Optuna's callback, where optuna-integration is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import mlflow

from sparktune import MlflowObserver, Spark, Threads, hp, local_session, tune

SPACE = {f"p{i}": hp.uniform(f"p{i}", 0, 1) for i in range(8)}
OPTUNA = find_spec("optuna_integration") is not None
SERVER = Path(__file__).parents[1] / "tracking" / "server.py"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.01)
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as folder, served(folder) as uri:
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("benchmark")
        requests(uri)
        wall(uri, options.trials, options.seconds)


def requests(uri: str) -> None:
    """How many requests a trial makes, in a small and in a large study."""
    print("requests per trial          50 trials   500 trials")
    rows: dict[str, list[float]] = {}
    for n in (50, 500):
        for name, track in trackers(0.0).items():
            if name == "none":
                continue
            ask(uri, "mode/ok")
            track(n)
            rows.setdefault(name, []).append(sum(ask(uri, "requests").values()) / n)
    for name, (few, many) in rows.items():
        print(f"{name:26}  {few:9.2f}   {many:10.2f}", flush=True)


def wall(uri: str, n: int, seconds: float) -> None:
    """Wall times: until the trials are done, and until everything is sent."""
    print(f"\n{n} trials of {1000 * seconds:g} ms               done s   all sent s")
    session = local_session(2)
    for on in (Threads(2), Spark(2, session=session)):
        where = type(on).__name__
        run(on, 10, seconds, None)
        for _ in range(3):
            plain = run(on, n, seconds, None)[0]
            began = time.monotonic()
            done, observer = run(on, n, seconds, MlflowObserver(patience=0, rate=1e6))
            assert observer is not None
            sent = None
            while sent is None and time.monotonic() - began < 600:
                ids = mlflow.search_runs(
                    filter_string=f"tags.`sparktune.study` = '{observer}'",
                    max_results=10_000,
                    output_format="list",
                )
                ended = [each for each in ids if each.info.status == "FINISHED"]
                sent = time.monotonic() - began if len(ended) == n + 1 else None
                time.sleep(0.2)
            print(f"{where:8} without                   {plain:8.2f}")
            print(f"{where:8} tracking='mlflow'         {done:8.2f}   {sent or -1:10.2f}")
            print(f"{where:8} ratio                     {done / plain:8.2f}", flush=True)
    for name, track in trackers(seconds).items():
        began = time.monotonic()
        track(n)
        print(f"one by one {name:22}  {time.monotonic() - began:8.2f}", flush=True)


def run(on: Any, n: int, seconds: float, tracking: Any) -> tuple[float, str | None]:
    """Seconds that a run takes, and the study's id."""
    from sparktune.tracking.names import study_id

    began = time.monotonic()
    study = tune(
        objective(seconds), SPACE, sampler="random", on=on, max_trials=n, progress=False,
        tracking=tracking,
    )  # fmt: skip
    took = time.monotonic() - began
    return took, study_id(study.header) if study.header and tracking else None


def objective(seconds: float) -> Any:
    """A function that takes so long."""

    def evaluate(config: dict[str, float]) -> float:
        time.sleep(seconds)
        return sum(config.values())

    return evaluate


def trackers(seconds: float) -> dict[str, Any]:
    """Ways to run n trials one after the other, all of them tracked."""
    evaluate = objective(seconds)

    def ours(n: int, tracking: Any = "mlflow") -> None:
        tune(evaluate, SPACE, sampler="random", max_trials=n, progress=False, tracking=tracking)

    def fluent(n: int) -> None:
        def logging(config: dict[str, float]) -> float:
            with mlflow.start_run(nested=True):
                loss = float(evaluate(config))
                mlflow.log_params(config)
                mlflow.log_metrics({"loss": loss})
                mlflow.set_tags({"kind": "trial"})
            return loss

        tune(logging, SPACE, sampler="random", max_trials=n, progress=False)

    found = {"none": lambda n: ours(n, None), "sparktune": ours, "fluent API": fluent}
    if OPTUNA:
        found["Optuna's MLflowCallback"] = lambda n: optuna(n, evaluate)
    return found


def optuna(n: int, evaluate: Any) -> None:
    """Optuna's callback."""
    import optuna as peer
    from optuna_integration import MLflowCallback

    peer.logging.set_verbosity(peer.logging.ERROR)
    callback = MLflowCallback(create_experiment=True, mlflow_kwargs={"nested": True})
    study = peer.create_study(study_name=f"optuna-{uuid.uuid4().hex[:6]}")
    study.optimize(
        lambda trial: evaluate({name: trial.suggest_float(name, 0, 1) for name in SPACE}),
        n_trials=n,
        callbacks=[callback],
    )


@contextmanager
def served(folder: str) -> Iterator[str]:
    """The URL of a server that keeps its runs in a folder."""
    with subprocess.Popen(
        [sys.executable, str(SERVER), folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def ask(uri: str, path: str) -> Any:
    """What the server says of itself."""
    with urlopen(f"{uri}/-/{path}", timeout=300) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
