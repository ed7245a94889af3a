"""What a promotion costs the driver: `schedule`, `scores`, and a suggestion of TPE from these.

    python -m tests.benchmarks.schedule [--rows 3000 30000]

Histories of `ASHA(1, 81)` on ten parameters, which 8 workers would have left; processor time in
milliseconds, the median of five calls.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune import ASHA, hp
from sparktune.history import View
from sparktune.samplers import random, tpe
from sparktune.schedulers import Scheduler
from sparktune.space.space import Space
from sparktune.trial import State, Status, Trial

RUNGS = (1, 3, 9, 27, 81)


def history(space: Space, rows: int) -> View:
    """A run of about so many evaluations: each third of a rung is in the next one."""
    rng = np.random.default_rng(0)
    begun = int(rows / sum(3.0**-k for k in range(len(RUNGS))))
    X = random.suggest.suggest(space, View.of([], np.empty((0, len(space)))), begun, rng)
    trials: list[Trial] = []
    points, of = list(X), list(range(begun))
    loss = np.sum(np.nan_to_num(X) ** 2, axis=1)
    parents: dict[int, int] = {}
    for budget in RUNGS:
        for i in of:
            seen = float(loss[i] + rng.normal() / budget)
            times: dict[str, Any] = dict.fromkeys(("asked", "started", "finished"), len(trials))
            times |= {"parent": parents.get(i), "state": State("s", 1)}
            parents[i] = len(trials)
            trials.append(Trial(len(trials), {}, Status.OK, budget, seen, **times))
            if budget > 1:
                points.append(X[i])
        of = sorted(of, key=lambda i: loss[i])[: len(of) // 3]
    return View.of(trials, np.array(points))


def milliseconds(call: Callable[[], object]) -> float:
    """The processor time of a call."""
    times = []
    for _ in range(5):
        begun = time.process_time()
        call()
        times.append(1000 * (time.process_time() - begun))
    return float(np.median(times))


def costs(space: Space, view: View, scheduler: Scheduler) -> list[float]:
    """Of `schedule`, `scores` and a suggestion."""
    shown = scheduler.scores(view)
    rng = np.random.default_rng(0)
    return [
        milliseconds(lambda: scheduler.schedule(view, 1)),
        milliseconds(lambda: scheduler.scores(view)),
        milliseconds(lambda: tpe.suggest.suggest(space, shown, 1, rng)),
    ]


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[3000, 30_000])
    space = Space({f"x{i}": hp.uniform(f"x{i}", -5, 5) for i in range(10)})
    schedulers: dict[str, Scheduler] = {
        "ASHA": ASHA(1, 81),
        "PASHA": ASHA(1, 81, grow=True),
    }
    print(f"{'':8}{'rows':>8}{'schedule':>10}{'scores':>8}{'suggest':>9}{'in all':>8}")
    for rows in parser.parse_args().rows:
        view = history(space, rows)
        for name, scheduler in schedulers.items():
            each = costs(space, view, scheduler)
            cells = "".join(f"{cost:{w}.1f}" for cost, w in zip(each, (10, 8, 9), strict=True))
            print(f"{name:8}{len(view):8}{cells}{sum(each):8.1f}")


if __name__ == "__main__":
    main()
