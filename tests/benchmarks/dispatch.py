"""What running a trial on Spark costs: sparktune and its peers against plain Spark.

    python -m tests.benchmarks.dispatch [--rounds 3] [--peers hyperopt joblib-spark FLAML MLflow]
    python -m tests.benchmarks.dispatch --slots 64 256 1000

Needs the group `bench`, without peers (`--peers` alone) the extra `dev`.

The first form is about four slots. All contenders share one classic local[4] session, or one Spark
Connect server of four slots, and run in turn, in an order that is reversed from round to round, so
that drift and other load on the machine hit them alike. Compare the ratios, taken within a round,
and not the times of different runs. The floor is plain Spark of the same kind: 4 threads that each
run one single-task job after the other, with nothing to suggest or to record.

    ideal      the wall time if dispatching cost nothing: in the order in which they began, each
               trial goes to the slot that is free first
    % ideal    ideal / wall time
    x floor    the floor's wall time per trial / the contender's: above 1 is faster than plain Spark
    x tiny     wall time with 100 MB in the objective's closure / with nothing in it

Last comes what 100 MB cost in memory: see `dispatch_memory`.

Wall times are of whole calls of `fmin`, without a progress bar: they include pickling the
objective, shipping it and every suggestion. Where there were several rounds, the median is given
(lowest - highest).

The second form is about many slots: see `wide`.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import os
import platform
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import sparktune
from tests.benchmarks import wide
from tests.benchmarks.dispatch_memory import HEAD, growth
from tests.benchmarks.dispatchers import (
    CLASSIC,
    CONNECT,
    PEERS,
    SLOTS,
    Contender,
    Objective,
    contenders,
)
from tests.conftest import connect_server

JVM_WARM_UP = 200  # plain jobs before anything else, for the compiler of the shared JVM
WARM_UP = 20  # empty trials of each contender, untimed; fewer, and a multiple of 4, of slow ones


@dataclass(frozen=True)
class Workload:
    """`trials` trials that sleep for `seconds` each and refer to `closure` bytes; a tenth of them
    sleep for `slow` seconds if it is given.
    """

    name: str
    seconds: float
    trials: int
    closure: int = 0
    slow: float = 0.0

    def objective(self, notes: str) -> Objective:
        """What each trial calls; where some are slow, each notes its seconds in a file."""
        seconds, slow = self.seconds, self.slow
        data = np.random.default_rng(0).random(self.closure // 8)

        def sleep(config: Any) -> float:
            taken = seconds
            if slow:
                taken = slow if zlib.crc32(repr(config).encode()) % 10 == 0 else seconds
                with open(notes, "a") as file:
                    file.write(f"{taken}\n")
            if taken:
                time.sleep(taken)
            return float(len(data))

        return sleep

    def ideal(self, trials: int, notes: str) -> float:
        """Seconds that so many trials take in all slots."""
        durations = [self.seconds] * trials
        if self.slow:
            durations = [float(line) for line in Path(notes).read_text().splitlines()]
        free = [0.0] * SLOTS
        for seconds in durations:
            heapq.heapreplace(free, free[0] + seconds)
        return max(free)

    def taken_by(self, contender: Contender) -> bool:
        """Whether a contender can run it in reasonable time: plain jobs and most peers ship what is
        large with every trial.
        """
        return not self.closure or contender.ours


WORKLOADS = (
    Workload("one-second", 1.0, 40),
    Workload("empty", 0.0, 200),
    Workload("50 ms", 0.05, 200),
    Workload("100 ms", 0.1, 200),
    Workload("20 ms, some 2 s", 0.02, 200, slow=2.0),
    Workload("100 MB, one-second", 1.0, 32, 100 << 20),
    Workload("100 MB, empty", 0.0, 32, 100 << 20),
)


def as_without_us(objective: Objective) -> Objective:
    """The same in a worker process as Spark has it: all contenders share these, and sparktune
    leaves modules out of the searches for garbage that Spark makes after each task.
    """

    def call(config: Any) -> float:
        gc.unfreeze()
        if process := sys.modules.get("_sparktune"):
            process.__dict__.pop("modules", None)
        return objective(config)

    return call


def wall_time(contender: Contender, workload: Workload) -> tuple[float, float]:
    """Seconds from the call to the end of the last trial, and as they would be ideally."""
    n = min(workload.trials, contender.most)
    with tempfile.TemporaryDirectory() as folder:
        notes = os.path.join(folder, "seconds")
        objective = workload.objective(notes)
        objective = objective if contender.ours else as_without_us(objective)
        started = time.perf_counter()
        succeeded = contender.run(objective, n)
        wall = time.perf_counter() - started
        if succeeded != n:
            raise RuntimeError(f"{contender.name}: {succeeded} of {n} trials succeeded")
        return wall, workload.ideal(n, notes)


@dataclass
class Results:
    """Wall times by (workload, contender), one for each round; for closures also without them."""

    found: Sequence[Contender]
    walls: dict[tuple[str, str], list[float]]
    ideals: dict[tuple[str, str], list[float]]
    tiny: dict[tuple[str, str], list[float]]

    def add(self, contender: Contender, workload: Workload) -> None:
        """Measure once."""
        key = workload.name, contender.name
        if workload.closure:
            tiny, _ = wall_time(contender, replace(workload, closure=0))
            self.tiny.setdefault(key, []).append(tiny)
        wall, ideal = wall_time(contender, workload)
        self.walls.setdefault(key, []).append(wall)
        self.ideals.setdefault(key, []).append(ideal)
        print(f"{workload.name}, {contender.name}: {wall:.2f} s", file=sys.stderr)

    def lines(self) -> list[str]:
        """The results as text, one line for each workload and contender."""
        form = "{:<19} {:<20} {:>6} {:>23} {:>8} {:>9} {:>20} {:>20}"
        head = ("trials", "by", "number", "wall s", "% ideal", "trials/s", "x floor", "x tiny")
        lines = [form.format(*head)]
        for workload in WORKLOADS:
            for contender in self.found:
                if workload.taken_by(contender):
                    cells = self.cells(workload, contender)
                    lines.append(form.format(workload.name, contender.name, *cells))
        return lines

    def cells(self, workload: Workload, contender: Contender) -> tuple[Any, ...]:
        """What one line says."""
        key, n = (workload.name, contender.name), min(workload.trials, contender.most)
        taken, tiny = self.walls[key], self.tiny.get(key, [])
        alike = next(each for each in self.found if each.name == contender.floor)
        per_trial = min(workload.trials, alike.most)
        floor = [w / per_trial for w in self.walls.get((workload.name, alike.name), [])]
        ratios = [each * n / wall for each, wall in zip(floor, taken, strict=False)]
        reached = [100 * i / w for i, w in zip(self.ideals[key], taken, strict=True)]
        return (
            n,
            spread(taken),
            f"{median(reached):.0f}" if any(reached) else "-",
            f"{n / median(taken):.2f}",
            spread(ratios) if ratios and not workload.slow else "-",
            spread([w / t for w, t in zip(taken, tiny, strict=True)]) if tiny else "-",
        )


def measure(found: Sequence[Contender], rounds: int) -> Results:
    """The rounds, after some trials of each contender that do not count."""
    for contender in found:
        if contender.name == contender.floor:
            wall_time(contender, Workload("warm-up", 0.0, JVM_WARM_UP))
    for contender in found:
        wall_time(contender, Workload("warm-up", 0.0, min(WARM_UP, contender.most // 5)))
    results = Results(found, {}, {}, {})
    for i in range(rounds):
        for workload in WORKLOADS:
            for contender in found[:: -1 if i % 2 else 1]:
                if i < contender.rounds and workload.taken_by(contender):
                    results.add(contender, workload)
    return results


def spread(values: Sequence[float]) -> str:
    """Median (lowest - highest), or the one value."""
    text = f"{median(values):.2f}"
    return f"{text} ({min(values):.2f} - {max(values):.2f})" if len(values) > 1 else text


def setting(spark: Any, peers: Sequence[str]) -> str:
    """Versions and machine, in one line."""
    packages = ["sparktune", "pyspark", *(PEERS[name].package for name in peers)]
    java = spark.sparkContext._jvm.java.lang.System.getProperty("java.version")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{versions}, Python {platform.python_version()}, Java {java}; "
        f"{spark.sparkContext.master} on {os.cpu_count()} cores, "
        f"load average at the end {os.getloadavg()[0]:.1f}"
    )


def four_slots(rounds: int, peers: list[str]) -> None:
    """Measure and print the first form."""
    spark = sparktune.local_session(SLOTS)
    with connect_server(f"local[{SLOTS}]") as (url, _):
        # Not SparkSession.builder, which refuses a second kind of session in one process.
        from pyspark.sql.connect.session import SparkSession

        connect = SparkSession.builder.remote(url).getOrCreate()
        results = measure(contenders(spark, connect, peers, rounds), rounds)
        memory = [growth(kind, session) for kind, session in ((CLASSIC, spark), (CONNECT, connect))]
        print("\n" + "\n".join([*results.lines(), "", HEAD, *memory, "", setting(spark, peers)]))
        connect.stop()
    spark.stop()


def many_slots(numbers: Sequence[int]) -> None:
    """Measure and print the second form, each line in a process of its own."""
    print(wide.HEAD)
    for slots in numbers:
        for kind in wide.KINDS:
            if kind in ("classic", "connect") and slots > wide.MOST_WORKERS:
                continue
            command = [sys.executable, "-m", "tests.benchmarks.wide", kind, str(slots)]
            subprocess.run(command, check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="repetitions (default: 3)")
    parser.add_argument("--peers", choices=PEERS, default=list(PEERS), nargs="*")
    parser.add_argument("--slots", type=int, nargs="*", help="measure many slots instead")
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    many_slots(options.slots) if options.slots else four_slots(options.rounds, options.peers)


if __name__ == "__main__":
    main()
