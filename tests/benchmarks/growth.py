"""What a trial costs, late in a long run against early in it.

    python -m tests.benchmarks.growth                     # a minute or two

The objective returns at once, so that what is left is the cost of the run itself: CPU of the
process per trial, around trial 1,000 and around trial 10,000, each the smallest of ten stretches.
Every stopping rule, and every way to keep trials, has a line; none of the rules stops.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sparktune import ThreadTrials, Trials, fmin, hp, no_progress_loss, rand
from sparktune.hyperopt import Trials as HyperoptTrials
from sparktune.stopping import (
    LossThreshold,
    MaxEvals,
    NoProgress,
    NoProgressFor,
    RemainingImprovement,
    Timeout,
)

EARLY, LATE, STRETCH, STRETCHES = 1_000, 10_000, 100, 10
NEVER = 10**9
RULES: dict[str, Any] = {
    "no rule": None,
    "MaxEvals": MaxEvals(NEVER),
    "Timeout": Timeout(NEVER),
    "LossThreshold": LossThreshold(-1.0),
    "NoProgress(11,000)": NoProgress(11_000),
    "NoProgress(11,000, percent=1)": NoProgress(11_000, 1.0),
    "no_progress_loss(10**9)": no_progress_loss(NEVER),
    "NoProgressFor": NoProgressFor(NEVER),
    "RemainingImprovement": RemainingImprovement(1e-300),
    "all of them, by | and &": Timeout(NEVER)
    | LossThreshold(-1.0)
    | MaxEvals(NEVER) & NoProgress(90),
    "a function": lambda trials, *state: (False, []),
}
TRIALS: dict[str, Callable[[], Any]] = {
    "Trials()": Trials,
    "sparktune.hyperopt.Trials()": HyperoptTrials,
    "ThreadTrials(8)": lambda: ThreadTrials(8),
    "ThreadTrials(8, deterministic=True)": lambda: ThreadTrials(8, deterministic=True),
}


def measure(trials: Any, rule: Any, **more: Any) -> tuple[float, float]:
    """Milliseconds of CPU per trial, early and late."""
    marks: list[float] = []

    def objective(point: dict[str, float]) -> float:
        marks.append(time.process_time())
        return point["x"]

    fmin(
        objective,
        {"x": hp.uniform("x", 0, 1)},
        rand.suggest,
        LATE + STRETCH * STRETCHES,
        trials=trials,
        seed=0,
        early_stop_fn=rule,
        show_progressbar=False,
        **more,
    )
    ends = [np.array(marks[start::STRETCH][: STRETCHES + 1]) for start in (EARLY, LATE - 1)]
    early, late = (float(np.diff(end).min()) / STRETCH * 1e3 for end in ends)
    return early, late


def main() -> None:
    """Print the table."""
    logging.disable(logging.CRITICAL)
    print(f"{'':40}{'at 1,000':>10}{'at 10,000':>11}{'ratio':>8}   (ms of CPU per trial)")
    cases: list[tuple[str, Callable[[], Any], Any]] = [
        (name, Trials, rule) for name, rule in RULES.items()
    ]
    cases += [(name, make, None) for name, make in TRIALS.items()]
    for name, make, rule in cases:
        show(name, *measure(make(), rule))
    with tempfile.TemporaryDirectory() as folder:
        show("a journal", *measure(Trials(), None, journal=str(Path(folder) / "j")))


def show(name: str, early: float, late: float) -> None:
    """One line."""
    print(f"{name:40}{early:10.3f}{late:11.3f}{late / early:7.2f}x", flush=True)


if __name__ == "__main__":
    main()
