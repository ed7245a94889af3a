"""What an objective does to the process it runs in does not break later trials there; on Spark
Classic and on Spark Connect.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from pyspark import cloudpickle

from sparktune import SparkTrials, fmin, hp
from tests.spark.conftest import eight_a_task_too

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module
quiet = functools.partial(fmin, show_progressbar=False)


def rebind_streams() -> None:
    sys.stdout = sys.stderr = None


def close_streams() -> None:
    sys.stdout.close()
    sys.stderr.close()


def close_real_streams() -> None:
    stream: Any = sys.stdout  # of the worker, around the real one
    stream.stream.close()
    sys.stderr.buffer.close()


def detach_streams() -> None:
    stream: Any = sys.stdout
    stream.detach()


def close_descriptors() -> None:
    os.close(1)
    os.close(2)


def redirect_descriptors() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def change_folder() -> None:
    os.chdir("/")


def remove_folder() -> None:
    os.chdir(tempfile.mkdtemp())
    os.rmdir(os.getcwd())


def change_environment() -> None:
    os.environ["PATH"] = "nowhere"
    os.environ["NEW"] = "new"


def clear_environment() -> None:
    os.environ.clear()


def replace_environment() -> None:
    os.environ = {}  # type: ignore[assignment] # noqa: B003


def handle_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def set_an_alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.05)


def time_out_sockets() -> None:
    socket.setdefaulttimeout(1e-6)


def raise_warnings() -> None:
    warnings.simplefilter("error")
    warnings.showwarning = None  # type: ignore[assignment]


def seed() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002


def limit_recursion() -> None:
    sys.setrecursionlimit(150)


VANDALS = [
    rebind_streams,
    close_streams,
    close_real_streams,
    detach_streams,
    close_descriptors,
    redirect_descriptors,
    change_folder,
    remove_folder,
    change_environment,
    clear_environment,
    replace_environment,
    handle_signals,
    set_an_alarm,
    time_out_sockets,
    raise_warnings,
    seed,
    limit_recursion,
]


def look() -> dict[str, Any]:
    """The state of this process that later trials rely on."""
    handlers = {n: str(signal.getsignal(n)) for n in signal.valid_signals()}
    return {
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "streams": [type(sys.stdout).__name__, sys.stdout.closed, sys.stderr.closed],
        "descriptors": [os.fstat(number).st_ino for number in (1, 2)],
        "handlers": handlers,
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "sockets": socket.getdefaulttimeout(),
        "warnings": warnings.filters[0][0] == "error",
        "shows": callable(warnings.showwarning),
        "recursion": sys.getrecursionlimit(),
    }


@eight_a_task_too
def test_later_trials_find_their_process_as_the_first_one_did(
    spark_trials: Callable[..., SparkTrials],
) -> None:
    def objective(number: int) -> dict[str, Any]:
        import time

        seen = look()
        if number % 2:
            VANDALS[number // 2]()
        else:
            print("printed", number)
            print("told", number, file=sys.stderr)
            warnings.warn("warned", stacklevel=1)
            os.write(2, b"")
            time.sleep(0.1)
        drawn = random.random(), float(np.random.random())  # noqa: NPY002
        return {"loss": 0.0, "status": "ok", "seen": seen, "drawn": drawn}

    numbers = [*range(2 * len(VANDALS)), *range(0, 20, 2)]  # in whatever process that is idle
    space = {"number": hp.choice("number", list(range(max(numbers) + 1)))}
    points = [{"number": number} for number in numbers]
    trials = spark_trials(parallelism=1)
    quiet(
        lambda config: objective(config["number"]),
        space,
        max_evals=0,
        points_to_evaluate=points,
        trials=trials,
    )
    assert [str(trial.failure) for trial in trials.records.values() if trial.failure] == []
    first = trials.results[0]["seen"]
    for result, number in zip(trials.results, numbers, strict=True):
        assert result["seen"] == first, number
    for trial, number in zip(trials.records.values(), numbers, strict=True):
        if number % 2 == 0:
            assert f"printed {number}\ntold {number}\n" in trial.log
            assert "UserWarning: warned" in trial.log
    assert len({result["drawn"] for result in trials.results}) == len(numbers)


def test_what_imports_set_in_the_environment_stays(
    spark_trials: Callable[..., SparkTrials], tmp_path: Any
) -> None:
    (tmp_path / "sets_a_variable.py").write_text("import os\nos.environ['SET_BY'] = 'import'\n")
    folder = str(tmp_path)

    def objective(x: float) -> dict[str, Any]:
        sys.path.insert(0, folder)
        try:
            import sets_a_variable  # type: ignore[import-not-found] # noqa: F401
        finally:
            sys.path.remove(folder)
        return {"loss": x, "status": "ok", "found": os.environ.get("SET_BY")}

    trials = spark_trials(parallelism=1)
    quiet(objective, hp.uniform("x", 0, 1), max_evals=3, trials=trials)
    assert {result["found"] for result in trials.results} == {"import"}
