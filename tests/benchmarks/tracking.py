"""What tracking by MLflow costs: requests per trial, and wall time with and without it.

    python -m tests.benchmarks.tracking requests [--sizes 50 500] [--ways sparktune ...]
    python -m tests.benchmarks.tracking wall [--trials 200] [--seconds 0.01] [--rounds 5]

A server of MLflow runs in a process of its own, with SQLite. `requests` counts what it is asked by
sparktune, by the fluent API that the objective calls, by Optuna's callback and by MLflow's
`MlflowSparkStudy`, where the group `bench` is installed. The last one reads every earlier trial
again for each new one, so it gets at most 50 trials. `wall` runs the same trials in turn without
and with tracking: until the last trial has ended, and until MLflow has everything.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import mlflow

from sparktune import MlflowObserver, Serial, Spark, Threads, hp, local_session, tune
from sparktune.events import Told

SPACE = {f"p{i}": hp.uniform(f"p{i}", 0, 1) for i in range(8)}
SERVER = Path(__file__).parents[1] / "tracking" / "server.py"
MOST_OF_SPARK_STUDY = 50  # trials


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["requests", "wall"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--ways", nargs="+", choices=[*ways()], default=[*ways()])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as folder, served(folder) as uri:
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("benchmark")
        if options.what == "requests":
            requests(uri, options.sizes, options.ways)
        else:
            wall(options.trials, options.seconds, options.rounds)


def requests(uri: str, sizes: list[int], chosen: list[str]) -> None:
    """How many requests a trial makes, in small and in large studies."""
    print(f"{'requests per trial, of trials':34}", *(f"{n:8}" for n in sizes))
    found = ways()
    for name in chosen:
        track = found[name]
        row = []
        for n in sizes:
            if track is spark_study and n > MOST_OF_SPARK_STUDY:
                row.append("not run")
                continue
            ask(uri, "mode/ok")
            with redirect_stdout(sys.stderr):  # the fluent API prints addresses of runs
                track(n)
            row.append(f"{sum(ask(uri, 'requests').values()) / n:.2f}")
        print(f"{name:34}", *(f"{each:>8}" for each in row), flush=True)


def wall(n: int, seconds: float, rounds: int) -> None:
    """Wall times, by rounds of a run without and one with tracking."""
    print(
        f"{n} trials of {1000 * seconds:g} ms; medians of {rounds} rounds, and each round's ratio"
    )
    session = local_session(2)
    for on in (Serial(), Threads(2), Spark(2, session=session)):
        run(on, 20, seconds, MlflowObserver(patience=600))  # first calls are not measured
        plain, done, sent = [], [], []
        for _ in range(rounds):
            plain.append(run(on, n, seconds, None)[0])
            times = run(on, n, seconds, MlflowObserver(patience=600))
            done.append(times[0])
            sent.append(times[1])
        ratios = sorted(b / a for a, b in zip(plain, done, strict=True))
        print(
            f"{type(on).__name__:8} without {statistics.median(plain):6.2f} s, "
            f"with {statistics.median(done):6.2f} s, all sent {statistics.median(sent):6.2f} s, "
            f"ratio {statistics.median(ratios):5.3f} ({', '.join(f'{r:.3f}' for r in ratios)})",
            flush=True,
        )


def run(on: Any, n: int, seconds: float, tracking: Any) -> tuple[float, float]:
    """Seconds until the last trial has ended, and until the call returns."""
    ends: list[float] = []

    def watch(event: Any, history: Any) -> None:
        if isinstance(event, Told):
            ends.append(time.monotonic())

    began = time.monotonic()
    tune(
        objective(seconds), SPACE, sampler="random", on=on, max_trials=n, progress=False,
        tracking=tracking, observers=[watch],
    )  # fmt: skip
    return ends[-1] - began, time.monotonic() - began


def objective(seconds: float) -> Callable[[dict[str, float]], float]:
    """A function that takes so long."""

    def evaluate(config: dict[str, float]) -> float:
        time.sleep(seconds)
        return sum(config.values())

    return evaluate


def ways() -> dict[str, Callable[[int], None]]:
    """Ways to run n trials that are tracked."""
    found: dict[str, Callable[[int], None]] = {"sparktune": sparktune, "fluent API": fluent}
    if find_spec("optuna_integration") is not None:
        found["Optuna's MLflowCallback"] = optuna_callback
    if find_spec("optuna") is not None and find_spec("mlflow.pyspark.optuna") is not None:
        found["MLflow's MlflowSparkStudy"] = spark_study
    return found


def sparktune(n: int) -> None:
    """Our own."""
    options = MlflowObserver(patience=600)
    tune(objective(0), SPACE, sampler="random", max_trials=n, progress=False, tracking=options)


def fluent(n: int) -> None:
    """Calls that many objectives make by themselves."""
    evaluate = objective(0)

    def logging(config: dict[str, float]) -> float:
        with mlflow.start_run(nested=True):
            loss = float(evaluate(config))
            mlflow.log_params(config)
            mlflow.log_metrics({"loss": loss})
            mlflow.set_tags({"kind": "trial"})
        return loss

    tune(logging, SPACE, sampler="random", max_trials=n, progress=False)


def optuna_callback(n: int) -> None:
    """Optuna's callback."""
    import optuna
    from optuna_integration import MLflowCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    callback = MLflowCallback(create_experiment=True, mlflow_kwargs={"nested": True})
    study = optuna.create_study(study_name=unused_name())
    study.optimize(suggesting, n_trials=n, callbacks=[callback])


def spark_study(n: int) -> None:
    """MLflow's study on Spark, which keeps Optuna's trials in MLflow."""
    from mlflow.optuna.storage import MlflowStorage
    from mlflow.pyspark.optuna.study import MlflowSparkStudy

    local_session(2)
    found = mlflow.get_experiment_by_name("benchmark")
    study = MlflowSparkStudy(unused_name(), MlflowStorage(experiment_id=found.experiment_id))
    study.optimize(suggesting, n_trials=n, n_jobs=1)


def suggesting(trial: Any) -> float:
    """The objective, in Optuna's manner."""
    return float(sum(trial.suggest_float(f"p{i}", 0, 1) for i in range(8)))


def unused_name() -> str:
    """A name that no other study has."""
    return f"study-{uuid.uuid4().hex[:8]}"


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
