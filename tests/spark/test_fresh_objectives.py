"""Every trial on Spark has an objective and parameters that no other trial has changed, and none
pays for large data; on Spark Classic and on Spark Connect.
"""

from __future__ import annotations

import functools
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from pyspark import cloudpickle

import sparktune
from sparktune import SparkTrials, fmin, hp
from tests.spark.conftest import eight_a_task_too

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module
MakeTrials = Callable[..., SparkTrials]
X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)
MANY = 300_000  # numbers of 8 bytes: large enough for a file


class Counter:
    """Counts its calls in itself, in a dict and on its class."""

    calls = 0

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def count(self, point: Any) -> list[int]:
        type(self).calls += 1
        type(self).latest = getattr(type(self), "latest", 0) + 1  # type: ignore[attr-defined]
        self.seen[str(len(self.seen))] = 1
        return [type(self).calls, type(self).latest, len(self.seen)]  # type: ignore[attr-defined]


class Warm:
    """A model that goes on training."""

    def __init__(self, weights: Any) -> None:
        self.weights = weights

    def __call__(self, point: Any) -> dict[str, Any]:
        self.weights += 1
        self.steps = getattr(self, "steps", 0) + 1
        return {"loss": self.steps, "status": "ok", "seen": float(self.weights.sum())}


def observed(trials: SparkTrials) -> Any:
    """What all trials saw, which is the same."""
    assert trials.count_successful_trials() == len(trials)
    seen = [result["seen"] for result in trials.results]
    assert all(each == seen[0] for each in seen), seen
    return seen[0]


@eight_a_task_too
def test_no_trial_sees_what_another_did_to_the_objective(spark_trials: MakeTrials) -> None:
    frame = pd.DataFrame({"f": [1.0, 2.0, 3.0], "name": ["a", "b", "c"]})
    sparse = scipy.sparse.eye(3, format="csr")
    random, generator = np.random.RandomState(0), np.random.default_rng(0)
    settings, numbers, counter = {"depth": 3}, iter(range(10)), Counter()
    objects = np.array([[1], {}], dtype=object)

    def objective(config: dict[str, Any], log: list[int] = []) -> dict[str, Any]:  # noqa: B006
        settings.update(config["model"])
        config["model"]["fitted"] = True
        frame["f"] *= 10
        frame.loc[len(frame)] = [0.0, "d"]
        sparse.data *= 2
        objects[0].append(1)
        log.append(1)
        seen = [settings, frame.f.tolist(), sparse.data.tolist(), objects.tolist(), log]
        seen += [random.uniform(), generator.uniform(), next(numbers), counter.count(None)]
        return {"loss": 0.0, "status": "ok", "seen": seen}

    trials = spark_trials(parallelism=1)
    space = {"x": X, "model": hp.choice("model", [{"C": 1}])}
    quiet(objective, space, max_evals=4, trials=trials)
    [used, column, data, changed, log, *drawn] = observed(trials)
    assert used == {"depth": 3, "C": 1}
    assert column == [10.0, 20.0, 30.0, 0.0]
    assert data == [2.0] * 3
    assert (changed, log) == ([[1, 1], {}], [1])
    expected = np.random.RandomState(0).uniform(), np.random.default_rng(0).uniform(), 0, [1, 1, 1]
    assert tuple(drawn) == expected
    assert (frame.f.tolist(), settings) == ([1.0, 2.0, 3.0], {"depth": 3})


@pytest.mark.parametrize(
    "objective",
    [
        Warm(np.zeros(5)),
        Warm(np.zeros(MANY)),
        Warm(np.zeros(MANY)).__call__,
        functools.partial(Warm.__call__, Warm(np.zeros(MANY))),
    ],
    ids=["callable", "callable with large data", "bound method", "partial"],
)
@eight_a_task_too
def test_objectives_that_are_no_functions_are_fresh_too(
    objective: Any, spark_trials: MakeTrials
) -> None:
    trials = spark_trials(parallelism=1)
    quiet(objective, X, max_evals=3, trials=trials)
    assert trials.losses() == [1.0] * 3
    assert observed(trials) in (5.0, MANY)


def large_things() -> dict[str, Any]:
    """Things with much memory, of every kind that there is."""
    numbers = np.arange(MANY, dtype=float)
    frame = pd.DataFrame({"a": numbers, "b": np.arange(MANY), "c": ["text"] * MANY})
    frame["when"] = pd.to_datetime(frame.b, unit="s")
    frame["kind"] = pd.Categorical(["x", "y"] * (MANY // 2))
    frame["arrow"] = pd.array(["text"] * MANY, dtype="string[pyarrow]")
    return {
        "array": numbers.copy(),
        "of Fortran's order": np.asfortranarray(numbers.reshape(-1, 2).copy()),
        "not contiguous": np.arange(2 * MANY, dtype=float)[::2],
        "reversed": numbers[::-1],
        "times": numbers.astype("M8[s]"),
        "spans": np.asfortranarray(numbers.astype("m8[ms]").reshape(-1, 2)),
        "records": np.zeros(MANY, [("a", "f8"), ("t", "M8[s]")]),
        "masked": np.ma.masked_less(numbers, 5),
        "of another type": np.zeros(MANY, [("a", "f8")]).view(np.recarray),
        "text": np.full(MANY, "abcdef"),
        "sparse": scipy.sparse.random(2000, 2000, 0.2, format="csc", rng=0),
        "frame": frame,
        "none": np.zeros((0, 3)),
        "bytearray": bytearray(MANY * 8),
        "bytes": bytes(MANY * 8),
    }


def change(things: dict[str, Any]) -> None:
    """Change all that can be changed in place."""
    for name in ("array", "of Fortran's order", "not contiguous", "reversed", "masked"):
        things[name] += 1
    for name in ("times", "spans"):
        things[name] += np.timedelta64(5, "s")
    things["records"]["a"] = 7
    things["of another type"].a += 1
    things["text"][:] = "other"
    things["bytearray"][:] = b"\1" * (MANY * 8)
    things["sparse"].data *= 3
    for column, value in {"a": 5.0, "b": 5, "c": "else", "arrow": "else"}.items():
        things["frame"].loc[: MANY // 2, column] = value
    things["frame"]["when"] += pd.Timedelta(5, "s")


def summary(things: dict[str, Any]) -> dict[str, str]:
    """What is in them, in short."""
    import pickle
    import zlib

    frame, sparse = things["frame"], things["sparse"]
    columns = {name: pd.util.hash_pandas_object(frame[name]).sum() for name in frame}
    rest = {name: thing for name, thing in things.items() if name not in ("frame", "sparse")}
    rest["masked"] = rest["masked"].filled(-1)
    found = {name: zlib.crc32(pickle.dumps(thing, 4)) for name, thing in rest.items()}
    return {str(k): str(v) for k, v in (found | columns | {"data": sparse.data.sum()}).items()}


@eight_a_task_too
def test_large_data_of_every_kind_is_as_it_was_given(spark_trials: MakeTrials) -> None:
    things = large_things()
    read_only = np.arange(MANY, dtype=float)
    read_only.flags.writeable = False

    def objective(x: float) -> dict[str, Any]:
        seen = summary(things)
        change(things)
        assert summary(things).keys() == seen.keys()
        changed = [name for name, what in summary(things).items() if what == seen[name]]
        flags = [
            name for name, thing in things.items() if getattr(thing, "flags", None) is not None
        ]
        odd = [n for n in flags if n != "frame" and not things[n].flags.aligned]
        fixed = read_only.flags.writeable
        return {"loss": 0.0, "status": "ok", "seen": [seen, changed, odd, fixed]}

    trials = spark_trials(parallelism=1)
    quiet(objective, X, max_evals=3, trials=trials)
    seen, unchanged, odd, fixed = observed(trials)
    assert seen == summary(things)
    assert unchanged == ["none", "bytes", "kind"]
    assert (odd, fixed) == ([], False)


def mapped() -> list[tuple[str, int]]:
    """Our files that this process has mapped, and how many kilobytes of each it has copied."""
    found = []
    lines = Path("/proc/self/smaps").read_text().splitlines()
    for number, line in enumerate(lines):
        if "/sparktune-" in line:
            own = (line for line in lines[number:] if line.startswith("Anonymous:"))
            found.append((line.split()[-1], int(next(own).split()[1])))
    return found


def test_large_data_is_one_file_that_processes_map_and_that_goes_in_the_end(
    spark_trials: MakeTrials, gather: Callable[..., Any]
) -> None:
    data, together = np.random.default_rng(0).random(4 * MANY), gather(4)

    def objective(x: float) -> dict[str, Any]:
        together(x)
        total = float(data.sum())
        [(path, own)] = mapped()
        data[:1000] = 0
        about = os.stat(path).st_mode, os.stat(os.path.dirname(path)).st_mode, os.stat(path).st_ino
        seen = {"total": total, "own": own, "path": path, "about": about}
        return {"loss": 0.0, "status": "ok", "pid": os.getpid(), "seen": seen}

    trials = spark_trials(parallelism=4)
    quiet(objective, X, max_evals=8, trials=trials)
    seen = observed(trials)
    assert len({result["pid"] for result in trials.results}) >= 4
    assert (seen["total"], seen["own"]) == (float(data.sum()), 0)
    assert [stat.S_IMODE(mode) for mode in seen["about"][:2]] == [0o600, 0o700]
    assert not os.path.exists(os.path.dirname(seen["path"]))


def test_a_file_that_was_removed_is_made_up_for(spark_trials: MakeTrials, tmp_path: Path) -> None:
    data, log = np.ones(MANY), tmp_path / "log"

    def objective(x: float) -> dict[str, Any]:
        [(path, _)] = mapped() or [("", 0)]
        with open(log, "a") as file:
            file.write("x")
        data[0] += 1
        if os.path.exists(path) and len(log.read_text()) == 1:
            os.remove(path)
        if len(log.read_text()) in (2, 4):
            os._exit(1)
        return {"loss": 0.0, "status": "ok", "seen": float(data.sum())}

    trials = spark_trials(parallelism=1)
    quiet(objective, X, max_evals=6, trials=trials, catch_eval_exceptions=True)
    seen = [result["seen"] for result in trials.results if "seen" in result]
    assert seen == [MANY + 1.0] * 4


@eight_a_task_too
def test_classes_of_shared_objects_and_of_the_objective_are_the_same(
    spark_trials: MakeTrials,
) -> None:
    handle = sparktune.share(Counter())

    def objective(config: dict[str, Any]) -> dict[str, Any]:
        same = isinstance(handle.value, Counter), isinstance(config["given"], Counter)
        return {"loss": 0.0, "status": "ok", "seen": same, "made": Counter()}

    trials = spark_trials(parallelism=1)
    space = {"x": X, "given": hp.choice("given", [Counter()])}
    quiet(objective, space, max_evals=3, trials=trials)
    assert observed(trials) == (True, True)
    assert {type(result["made"]) for result in trials.results} == {Counter}


@eight_a_task_too
def test_a_shared_object_stays_one_object_a_process(spark_trials: MakeTrials) -> None:
    # Unlike that of any other run, whose object a process may have kept.
    handle = sparktune.share(Warm(np.random.default_rng().random(MANY)))
    trials = spark_trials(parallelism=1)

    def objective(x: float) -> dict[str, Any]:
        return {**handle.value(x), "pid": os.getpid()}

    quiet(objective, X, max_evals=6, trials=trials)
    processes = {result["pid"]: 0 for result in trials.results}
    for result in trials.results:
        processes[result["pid"]] += 1
        assert result["loss"] == processes[result["pid"]]
