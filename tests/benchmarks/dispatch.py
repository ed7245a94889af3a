"""What running a trial on Spark costs: sparktune and its peers against plain Spark.

    python -m tests.benchmarks.dispatch [--rounds 3] [--peers none]

All contenders share one classic local[4] session, or one Spark Connect server of four slots, and
run in turn, in an order that is reversed from round to round, so that drift and other load on the
machine hit them alike. Compare the ratios to the floor, taken within a round, and not the times of
different runs. The floor is plain Spark of the same kind: 4 threads that each run one single-task
job after the other, with nothing to suggest or to record. The trials called 100 MB take a second
each, of an objective with 100 MB in its closure, which plain jobs would ship with every trial.

    ideal      one-second trials / 4 slots: the wall time in seconds if dispatching cost nothing
    % ideal    ideal / wall time
    x floor    the floor's wall time per trial / the contender's: above 1 is faster than plain Spark

Wall times are of whole calls of `fmin`, without a progress bar: they include pickling the
objective, shipping it and every suggestion. Where there were several rounds, the median is given
(lowest - highest).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import Any

import sparktune
from tests.conftest import connect_server

SLOTS = 4
CLASSIC, CONNECT = "plain Spark", "plain Connect"
JVM_WARM_UP = 200  # plain jobs before anything else, for the compiler of the shared JVM
WARM_UP = 20  # empty trials of each contender, untimed

Objective = Callable[[Any], float]


@dataclass(frozen=True)
class Workload:
    """`trials` trials that sleep for `seconds` each and refer to `closure` bytes."""

    name: str
    seconds: float
    trials: int
    closure: int = 0

    def objective(self) -> Objective:
        """What each trial calls."""
        seconds, data = self.seconds, os.urandom(self.closure)

        def sleep(config: Any) -> float:
            if seconds:
                time.sleep(seconds)
            return float(len(data))

        return sleep


WORKLOADS = (
    Workload("one-second", 1.0, 40),
    Workload("empty", 0.0, 200),
    Workload("100 MB", 0.0, 32, 100 << 20),
)


@dataclass(frozen=True)
class Contender:
    """A way to evaluate an objective n times: `run(objective, n)` returns how often it succeeded.

    It takes part in at most `rounds` rounds, with at most `most` trials of a workload.
    """

    name: str
    run: Callable[[Objective, int], int]
    rounds: int
    floor: str = CLASSIC
    most: int = 200

    def takes(self, workload: Workload) -> bool:
        """Whether it can run a workload in reasonable time."""
        return not workload.closure or "sparktune" in self.name

    def trials(self, workload: Workload) -> int:
        """How many trials of a workload it runs."""
        return min(workload.trials, self.most)

    def wall_time(self, workload: Workload) -> float:
        """Seconds from the call to the end of the last trial."""
        n = self.trials(workload)
        started = time.perf_counter()
        succeeded = self.run(workload.objective(), n)
        wall = time.perf_counter() - started
        if succeeded != n:
            raise RuntimeError(f"{self.name}: {succeeded} of {n} trials succeeded")
        return wall


def plain_spark(spark: Any) -> Callable[[Objective, int], int]:
    """Single-task jobs from as many threads as there are slots."""
    context = spark.sparkContext

    def run(objective: Objective, n: int) -> int:
        def job(i: int) -> int:
            return len(context.parallelize([0], 1).map(objective).collect())

        with ThreadPoolExecutor(SLOTS) as threads:
            return sum(threads.map(job, range(n)))

    return run


def plain_connect(spark: Any) -> Callable[[Objective, int], int]:
    """Single-task queries from as many threads as there are slots."""

    def run(objective: Objective, n: int) -> int:
        def task(batches: Any) -> Any:
            yield from batches
            objective(None)

        def query(i: int) -> int:
            return len(spark.range(0, 1, 1, 1).mapInArrow(task, "id long").collect())

        with ThreadPoolExecutor(SLOTS) as threads:
            return sum(threads.map(query, range(n)))

    return run


def minimized(
    package: Any, algo: Any, seed: dict[str, Any], **options: Any
) -> Callable[[Objective, int], int]:
    """`fmin` of sparktune or hyperopt, which take the same arguments, over four parameters."""
    hp = package.hp
    space = {
        "x": hp.uniform("x", -5, 5),
        "rate": hp.loguniform("rate", -5, 0),
        "depth": hp.quniform("depth", 1, 10, 1),
        "kind": hp.choice("kind", ["a", "b", "c"]),
    }

    def run(objective: Objective, n: int) -> int:
        trials = package.SparkTrials(parallelism=SLOTS, **options)
        given = {"max_evals": n, "trials": trials, "show_progressbar": False, **seed}
        package.fmin(objective, space, algo=algo, **given)
        return int(trials.count_successful_trials())

    return run


def contenders(spark: Any, connect: Any, peers: str, rounds: int) -> list[Contender]:
    """Who takes part; hyperopt, which needs minutes, once and with few trials."""
    tpe, rand = sparktune.tpe.suggest, sparktune.rand.suggest
    on_connect = minimized(sparktune, tpe, {"seed": 0}, spark_session=connect)
    found = [
        Contender(CLASSIC, plain_spark(spark), rounds),
        Contender("sparktune, TPE", minimized(sparktune, tpe, {"seed": 0}), rounds),
        Contender("sparktune, random", minimized(sparktune, rand, {"seed": 0}), rounds),
        Contender(CONNECT, plain_connect(connect), rounds, CONNECT),
        Contender("sparktune, Connect", on_connect, rounds, CONNECT),
    ]
    if peers == "hyperopt":
        import hyperopt
        import numpy as np

        seed = {"rstate": np.random.default_rng(0)}
        run = minimized(hyperopt, hyperopt.tpe.suggest, seed)
        found.append(Contender("hyperopt, TPE", run, rounds=1, most=40))
    return found


def measure(found: Sequence[Contender], rounds: int) -> dict[tuple[str, str], list[float]]:
    """Wall times by (workload, contender), one for each round."""
    for contender in found:
        if contender.name == contender.floor:
            contender.wall_time(Workload("warm-up", 0.0, JVM_WARM_UP))
    for contender in found:
        contender.wall_time(Workload("warm-up", 0.0, WARM_UP))
    walls: dict[tuple[str, str], list[float]] = {}
    for i in range(rounds):
        for workload in WORKLOADS:
            for contender in found[:: -1 if i % 2 else 1]:
                if i < contender.rounds and contender.takes(workload):
                    wall = contender.wall_time(workload)
                    walls.setdefault((workload.name, contender.name), []).append(wall)
    return walls


def table(found: Sequence[Contender], walls: dict[tuple[str, str], list[float]]) -> str:
    """The results as text, one line for each workload and contender."""
    form = "{:<11} {:<18} {:>6} {:>23} {:>8} {:>9} {:>20}"
    lines = [form.format("trials", "by", "number", "wall s", "% ideal", "trials/s", "x floor")]
    for workload in WORKLOADS:
        for contender in found:
            if not contender.takes(workload):
                continue
            taken, n = walls[workload.name, contender.name], contender.trials(workload)
            floor = [w / workload.trials for w in walls.get((workload.name, contender.floor), [])]
            ideal = n * workload.seconds / SLOTS
            ratios = [each * n / wall for each, wall in zip(floor, taken, strict=False)]
            share = f"{100 * ideal / median(taken):.0f}" if ideal else "-"
            rate = f"{n / median(taken):.2f}"
            cells = (spread(taken), share, rate, spread(ratios) if ratios else "-")
            lines.append(form.format(workload.name, contender.name, n, *cells))
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Median (lowest - highest), or the one value."""
    text = f"{median(values):.2f}"
    return f"{text} ({min(values):.2f} - {max(values):.2f})" if len(values) > 1 else text


def setting(spark: Any, peers: str) -> str:
    """Versions and machine, in one line."""
    packages = ["sparktune", "pyspark", *([] if peers == "none" else [peers])]
    java = spark.sparkContext._jvm.java.lang.System.getProperty("java.version")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{versions}, Python {platform.python_version()}, Java {java}; "
        f"{spark.sparkContext.master} on {os.cpu_count()} cores, "
        f"load average at the end {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="repetitions (default: 3)")
    parser.add_argument("--peers", choices=("hyperopt", "none"), default="hyperopt")
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = sparktune.local_session(SLOTS)
    with connect_server(f"local[{SLOTS}]") as (url, _):
        # Not SparkSession.builder, which refuses a second kind of session in one process.
        from pyspark.sql.connect.session import SparkSession

        connect = SparkSession.builder.remote(url).getOrCreate()
        found = contenders(spark, connect, options.peers, options.rounds)
        walls = measure(found, options.rounds)
        print(f"\n{table(found, walls)}\n\n{setting(spark, options.peers)}")
        connect.stop()
    spark.stop()


if __name__ == "__main__":
    main()
