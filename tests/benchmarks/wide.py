"""Many slots: how busy the driver keeps them, and what that costs it.

    python -m tests.benchmarks.wide classic|connect|threads|simulated SLOTS [--algo tpe]

Trials that sleep for ten seconds, three for each slot, suggested by TPE or another algorithm over
ten parameters. A run of one trial for each slot goes before, so that every worker process is there.

    classic      Spark local[SLOTS]: one Python process for each slot
    connect      a Spark Connect server of local[SLOTS], in a process of its own
    threads      ThreadTrials: the same pool of threads without Spark, in this process
    simulated    simulated trials of 10 seconds (lognormal, spread 0.3), ten for each slot; the
                 driver's processor time is added to the simulated time

    % busy       sum of the times trials took / (slots * time until the last one was started), by
                 the driver's clock
    CPU ms       processor time of the driver's Python process for a trial
    threads      of the driver's Python process, at most
    RSS MB       of the driver's Python process at the end, and its growth since the warm-up
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sparktune
from sparktune import loop
from sparktune.executors.task import Task
from sparktune.samplers.algorithms import ALGORITHMS, resolve
from sparktune.schedulers import FullBudget
from sparktune.space.space import Space
from sparktune.stopping import Never
from sparktune.study import Study
from sparktune.testing import Durations, SimulatedExecutor, WorkingClock
from sparktune.trial import Trial
from tests.conftest import connect_server

KINDS = ("classic", "connect", "threads", "simulated")
MOST_WORKERS = 256
"""Python processes that fit into the memory of a small machine."""

FORM = "{:<10} {:>6} {:>7} {:>7} {:>7} {:>8} {:>8} {:>14}"
HEAD = FORM.format("kind", "slots", "trials", "wall s", "% busy", "CPU ms", "threads", "RSS MB")

SECONDS = 10.0
hp = sparktune.hp
SPACE = {
    **{f"x{i}": hp.uniform(f"x{i}", -5, 5) for i in range(8)},
    "rate": hp.loguniform("rate", -5, 0),
    "kind": hp.choice("kind", ["a", "b", "c"]),
}


def loss(point: Any) -> float:
    """The sum of the squares of the eight numbers."""
    return float(sum(point[f"x{i}"] ** 2 for i in range(8)))


def sleep(config: Any) -> float:
    """The objective."""
    time.sleep(SECONDS)
    return loss(config)


def resident() -> float:
    """MB of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def busy(records: Iterable[Trial], slots: int, begun: float) -> float:
    """Share of the slots' time in which trials ran, until the last one was started."""
    times = [(t.started or 0.0, t.finished or 0.0) for t in records]
    last = max(start for start, _ in times)
    return sum(min(end, last) - start for start, end in times) / (slots * (last - begun))


class Peak(threading.Thread):
    """Watches how many threads there are."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.threads = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):
            self.threads = max(self.threads, threading.active_count() - 1)


@contextmanager
def session(kind: str, slots: int) -> Iterator[dict[str, Any]]:
    """What the trials are given, by keyword."""
    if kind == "classic":
        spark = sparktune.local_session(slots, spark__driver__memory="4g")
        yield {"spark_session": spark}
        spark.stop()
    elif kind == "connect":
        with connect_server(f"local[{slots}]") as (url, _):
            from pyspark.sql.connect.session import SparkSession

            remote = SparkSession.builder.remote(url).getOrCreate()
            yield {"spark_session": remote}
            remote.stop()
    else:
        yield {}


@dataclass
class Work:
    """What the driver does from now on."""

    cpu: float = field(default_factory=time.process_time)
    memory: float = field(default_factory=resident)

    def line(self, kind: str, slots: int, n: int, wall: float, share: float, threads: int) -> str:
        """A line of the table, once n trials are done."""
        cpu, memory = time.process_time() - self.cpu, resident()
        growth = f"{memory:.0f} (+{memory - self.memory:.0f})"
        cells = (f"{wall:.1f}", f"{100 * share:.1f}", f"{1e3 * cpu / n:.1f}", threads, growth)
        return FORM.format(kind, slots, n, *cells)


def measured(kind: str, slots: int, algo: str) -> str:
    """The line of a run in real time."""
    make = sparktune.ThreadTrials if kind == "threads" else sparktune.SparkTrials
    with session(kind, slots) as given:
        for n in (slots, 3 * slots):  # the first only for its worker processes
            trials, peak, work = make(parallelism=slots, **given), Peak(), Work()
            peak.start()
            begun = time.time()
            sparktune.fmin(
                sleep,
                SPACE,
                algo,
                n,
                trials=trials,
                show_progressbar=False,
                seed=0,
            )
            wall = time.time() - begun
            peak.over.set()
            ok = trials.count_successful_trials()
            if ok != n:
                raise RuntimeError(f"{ok} of {n} trials succeeded")
            print(f"{kind} {slots}: {n} trials in {wall:.1f} s", file=sys.stderr)
        share = busy(trials.records.values(), slots, begun)
        return work.line(kind, slots, n, wall, share, peak.threads)


def simulated(slots: int, algo: str) -> str:
    """The line of the simulator."""
    clock, records, n = WorkingClock(), dict[int, Trial](), 10 * slots
    task = Task(lambda trial: loss(trial.values), lambda trial: trial)
    executor = SimulatedExecutor(task, slots, Durations(SECONDS, 0.3), clock)
    work = Work()
    study = Study(Space(SPACE), resolve(algo), FullBudget(n), 0, records, clock=clock)
    loop.run(study, executor, Never(), raise_errors=True)
    return work.line("simulated", slots, n, clock(), busy(records.values(), slots, 0.0), 1)


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("slots", type=int)
    parser.add_argument("--algo", choices=ALGORITHMS, default="tpe")
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    if options.kind == "simulated":
        print(simulated(options.slots, options.algo))
    else:
        print(measured(options.kind, options.slots, options.algo))


if __name__ == "__main__":
    main()
