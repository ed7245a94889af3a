"""Large things reach each worker process once, on Spark Classic and on Spark Connect."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark import cloudpickle

import sparktune
from sparktune import STATUS_OK, ObjectiveNotPicklable, SparkTrials, fmin, hp

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module
MakeTrials = Callable[..., SparkTrials]
X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)


class Loud:
    """Writes a line to a file whenever it is pickled, and whenever it is unpickled."""

    def __init__(self, log: Path, content: Any = None) -> None:
        self.log = str(log)
        self.content = content

    def note(self, what: str) -> None:
        with open(self.log, "a") as log:
            log.write(f"{what} {os.getpid()}\n")

    def __getstate__(self) -> dict[str, Any]:
        self.note("pickled")
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.note("unpickled")


def loads(log: Path) -> list[str]:
    """A line for each time that it was unpickled; it was pickled once, by the driver."""
    lines = log.read_text().splitlines()
    assert lines.count(f"pickled {os.getpid()}") == 1
    return [line for line in lines if line.startswith("unpickled")]


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_handle_in_objective_and_space_is_shipped_once(
    spark_trials: MakeTrials, tmp_path: Path
) -> None:
    inner = sparktune.share("inner")
    handle = sparktune.share(Loud(tmp_path / "log", {"inner": inner}))
    unused = sparktune.share(Loud(tmp_path / "unused"))

    def objective(config: dict[str, Any]) -> dict[str, Any]:
        if config["x"] > 1000:
            return {"loss": len(str(unused.value)), "status": STATUS_OK}
        same = config["data"].value is handle.value
        return {
            "loss": 0,
            "status": STATUS_OK,
            "ok": same,
            "in": handle.value.content["inner"].value,
        }

    trials = spark_trials(parallelism=4)
    quiet(objective, {"x": X, "data": hp.choice("data", [handle])}, max_evals=20, trials=trials)
    assert {(result["ok"], result["in"]) for result in trials.results} == {(True, "inner")}
    found = loads(tmp_path / "log")
    assert 1 <= len(found) == len(set(found)) <= 5
    assert "unpickled" not in (tmp_path / "unused").read_text()


def test_a_closure_beyond_the_limit_of_a_message_is_shipped_once_and_not_kept_twice(
    spark_trials: MakeTrials, tmp_path: Path
) -> None:
    data = Loud(tmp_path / "log", os.urandom(140 << 20))
    used: list[int] = []

    def watch(trials: Any) -> bool:
        used.append(resident())
        return False

    def objective(x: float) -> float:
        return x + len(data.content) * 0

    watched: Any = functools.partial(quiet, early_stop_fn=watch)
    trials = spark_trials(parallelism=4)
    watched(objective, X, max_evals=40, trials=trials)
    assert trials.count_successful_trials() == 40
    assert len(loads(tmp_path / "log")) == 40
    assert used[-1] - used[len(used) // 4] < 50 << 20


def test_what_changed_between_two_runs_is_shipped_again(spark_trials: MakeTrials) -> None:
    handle = sparktune.share([1])
    objective = functools.partial(lambda shared, x: float(sum(shared.value)), handle)
    trials = spark_trials(parallelism=1)
    quiet(objective, X, max_evals=2, trials=trials)
    handle.value.append(2)
    quiet(objective, X, max_evals=4, trials=trials)
    assert trials.losses() == [1.0, 1.0, 3.0, 3.0]


def test_a_handle_on_what_cannot_travel_is_refused(spark_trials: MakeTrials) -> None:
    handle = sparktune.share(sys.stdout)
    with pytest.raises(ObjectiveNotPicklable, match=r"what share\(<\w+>\) refers to cannot"):
        quiet(lambda x: bool(handle.value), X, max_evals=2, trials=spark_trials(parallelism=1))
