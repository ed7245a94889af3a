"""Processes that are killed in the middle of a ladder, large states, and long runs."""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import ASHA, Serial, Study, Threads, hp, loop, tune
from sparktune.budgets.states import _folders
from sparktune.events import Event, Told
from sparktune.executors.platforms import Platform
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.schedulers import Hyperband, InOrder, Scheduler
from sparktune.stopping import MaxBudget
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Status, Trial
from tests.forks import Forks

SPACE = {"x": hp.uniform("x", -1, 1)}
LADDER = ASHA(1, 9, audit=0)

PROGRAM = """
import os, signal, sys
from sparktune import ASHA, Serial, Threads, hp, tune

folder, on, last, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

def objective(config, budget, state=None):
    done = state or 0
    with open(f"{folder}/log", "a") as file:
        file.write(f"{config['x']!r} {budget} {done}\\n")
    if budget == last:
        with open(f"{folder}/log") as file:
            begun = sum(line.split()[1] == sys.argv[3] for line in file)
        if begun == number:
            os.kill(os.getpid(), signal.SIGKILL)
    return {"loss": config["x"] ** 2 + 1 / budget, "status": "ok", "state": budget, "began": done}

tune(objective, {"x": hp.uniform("x", -1, 1)}, scheduler=ASHA(1, 9, audit=0),
     on={"serial": Serial(), "threads": Threads(3)}[on], max_trials=18, seed=1,
     journal=f"{folder}/study.jsonl", progress=False)
"""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks.of("sparktune.executors.threads", "scipy.special") as found:
        yield found


def program(forks: Forks, folder: Path, on: str, budget: int, number: int) -> int:
    """The exit code of the program, which kills itself when that evaluation with that budget
    begins.
    """
    forks.start(PROGRAM, str(folder), on, str(budget), str(number))
    return forks.wait()


@pytest.mark.parametrize(
    ("on", "budget", "number"),
    [("serial", 3, 1), ("serial", 9, 2), ("threads", 3, 3), ("threads", 1, 18)],
)
def test_a_driver_that_is_killed_between_promotion_and_result(
    on: str, budget: int, number: int, tmp_path: Path, forks: Forks
) -> None:
    assert program(forks, tmp_path, on, budget, number) == -signal.SIGKILL
    lines = [json.loads(line) for line in (tmp_path / "study.jsonl").read_text().splitlines()]
    told = {line["told"]["id"] for line in lines if "told" in line}
    study = Study.load(tmp_path / "study.jsonl", SPACE, scheduler=LADDER)
    known = {key(trial) for id, trial in study.trials.items() if id in told}
    assert program(forks, tmp_path, on, budget, 0) == 0
    study = Study.load(tmp_path / "study.jsonl", SPACE, scheduler=LADDER)
    assert {trial.status for trial in study.trials.values()} == {Status.OK}
    assert Counter(trial.budget for trial in study.trials.values())[1] == 18
    assert len({key(trial) for trial in study.trials.values()}) == len(study.trials)
    assert told <= set(study.trials)
    for trial in study.trials.values():
        assert trial.result is not None
        assert trial.result["began"] == (
            0 if trial.parent is None else study.trials[trial.parent].budget
        )
    log = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    begun = Counter((float(x), float(epochs)) for x, epochs, _ in log)
    assert set(begun) == {key(trial) for trial in study.trials.values()}
    inside = 1 if on == "serial" else 4  # one in each slot, and one that waits for a slot
    assert {begun[each] for each in known} == {1}, "an evaluation that had ended was repeated"
    assert sum(begun.values()) <= len(study.trials) + inside


def key(trial: Trial) -> tuple[float, float]:
    """What an evaluation is, whatever its id."""
    return float(trial.values["x"]), float(trial.budget)


@pytest.mark.parametrize("scheduler", [LADDER, Hyperband(1, 9), ASHA(1, 9, grow=True)])
def test_a_run_of_promotions_that_is_cut_after_any_line_goes_on_with_the_same_trials(
    scheduler: Scheduler, tmp_path: Path
) -> None:
    def objective(config: dict[str, float], budget: int) -> float:
        return config["x"] ** 2 + 1 / budget

    def run(path: Path) -> list[Any]:
        study = tune(
            objective,
            SPACE,
            sampler="random",
            scheduler=scheduler,
            max_trials=9,
            seed=1,
            journal=path,
            progress=False,
        )
        return [(trial.values, trial.budget, trial.parent) for trial in study.trials.values()]

    wanted = run(tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    for cut in range(2, len(lines)):
        path = tmp_path / f"{cut}.jsonl"
        path.write_bytes(b"".join(lines[:cut]))
        assert run(path) == wanted, f"after {cut} lines"


@pytest.mark.parametrize("scheduler", [ASHA(1, 27), Hyperband(1, 27), ASHA(1, 27, grow=True)])
def test_promotions_of_a_deterministic_run_do_not_depend_on_the_order_of_ends(
    scheduler: Scheduler,
) -> None:
    def objective(trial: Trial) -> float:
        return float(trial.values["x"]) ** 2 + 1 / trial.budget

    def run(seed: int) -> tuple[list[Any], list[int]]:
        clock = Clock()
        study = Study(SPACE, "tpe", InOrder(scheduler, 4), 3, clock=clock)
        ended: list[int] = []

        def seconds(trial: Trial) -> float:
            return float(np.random.default_rng([seed, trial.id]).lognormal(0, 2))

        def watch(event: Event, history: View) -> None:
            if isinstance(event, Told):
                ended.append(event.trial.id)

        executor = SimulatedExecutor(Task(objective, lambda trial: trial), 4, seconds, clock)
        loop.run(study, executor, MaxBudget(12), [watch])
        done = [trial for trial in study.trials.values() if trial.status is Status.OK]
        return [(trial.id, trial.values, trial.budget, trial.parent) for trial in done], ended

    runs = [run(seed) for seed in range(4)]
    shortest = min(len(done) for done, _ in runs) - 4  # at its end a run drops what is running
    assert shortest > 30
    assert all(done[:shortest] == runs[0][0][:shortest] for done, _ in runs)
    assert any(ended != runs[0][1] for _, ended in runs), "the ends came in the same order"


def large(megabytes: int) -> Any:
    """An objective with a state of that size, which tells whether it came back as it was."""

    def objective(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        wanted = f"{config['x']:.12f}".encode().ljust(16) * (megabytes * 2**16)
        done, weights = state or (0, wanted)
        return {
            "loss": config["x"] ** 2,
            "status": "ok",
            "state": (budget, weights),
            "began": done,
            "right": weights == wanted,
        }

    return objective


def assert_came_back(study: Study, megabytes: int) -> None:
    """Every promotion went on from a state as it was."""
    promoted = [trial for trial in study.trials.values() if trial.parent is not None]
    assert promoted
    for trial in study.trials.values():
        assert trial.result is not None, trial.failure
        assert trial.result["right"], trial.log
        assert trial.result["began"] == (
            0 if trial.parent is None else study.trials[trial.parent].budget
        ), trial.log
        assert trial.state is not None
        assert trial.state.size >= megabytes * 2**20


@pytest.fixture
def grown() -> Callable[[], int]:
    """A function that tells by how many bytes the largest memory of this process has grown."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return lambda: 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


@pytest.mark.parametrize("megabytes", [1, 10, 32])
@pytest.mark.parametrize(
    ("on", "shared"),
    [(Serial(), False), (Threads(2), False), (Threads(2), True)],
    ids=["serial", "threads", "threads, shared"],
)
def test_states_of_any_size_come_back_and_do_not_pile_up(
    on: Platform, megabytes: int, shared: bool, tmp_path: Path, grown: Callable[[], int]
) -> None:
    study = tune(
        large(megabytes),
        SPACE,
        scheduler=ASHA(1, 3, audit=0),
        on=on,
        max_trials=8,
        seed=1,
        progress=False,
        checkpoints=tmp_path if shared else None,
    )
    assert_came_back(study, megabytes)
    # At once there are the content, its pickle, and those of what runs beside it.
    assert grown() < 6 * 2 * megabytes * 2**20 + 2**27
    folder = tmp_path if shared else Path(_folders[study])
    left = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert left <= 8 * (megabytes + 1) * 2**20


def test_a_long_run_leaves_memory_threads_and_files_as_they_are() -> None:
    """The long one: python -m tests.benchmarks.soak --asha"""
    seen: list[tuple[int, int, int]] = []
    study = Study(SPACE, "random", ASHA(1, 27), 1)

    def objective(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        return {"loss": config["x"] ** 2, "status": "ok", "state": bytes(10_000)}

    def watch(event: Event, history: View) -> None:
        # Several trials may have come in since the last call.
        if isinstance(event, Told) and len(history) >= 100 * (len(seen) + 1):
            kept = len([*Path(_folders[study]).rglob("state-*")])
            files = len(os.listdir("/proc/self/fd"))
            seen.append((threading.active_count(), files, kept))

    tune(
        objective,
        study.space,
        study=study,
        on=Threads(3),
        max_trials=400,
        progress=False,
        observers=[watch],
    )
    assert len(study.trials) > 550
    threads, files, kept = zip(*seen[1:], strict=True)
    assert max(threads) <= min(threads) + 3
    assert max(files) <= min(files) + 6
    # Those that may still be promoted: of each rung twice as many as go on, and two more.
    assert max(kept) <= 2 * 400 / 3 * 1.5 + 8 + 30
