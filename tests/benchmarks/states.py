"""How busy slots are that hand states on: ASHA on Spark, one second for each evaluation.

    python -m tests.benchmarks.states [--kind classic|connect] [--megabytes 0 10]

Four slots, 24 configurations, budgets 1, 3 and 9. `busy` is the share of the slots' time, from the
first start to the last one, in which they evaluate; `lost` counts promotions whose state did not
arrive. A run of four evaluations goes before, so that every worker process is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from sparktune import ASHA, Spark, hp, tune
from tests.benchmarks.wide import session

SLOTS, SECONDS, CONFIGURATIONS = 4, 1.0, 24


def evaluation(megabytes: int) -> Callable[..., dict[str, Any]]:
    """An objective that takes a second and leaves a state of this size."""

    def objective(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        begun = time.monotonic()
        content = os.urandom(megabytes * 1_000_000 or 1)
        time.sleep(max(SECONDS - (time.monotonic() - begun), 0))
        return {"loss": config["x"], "status": "ok", "state": content, "continued": bool(state)}

    return objective


def run(spark: Any, megabytes: int, configurations: int) -> str:
    """A line about a run."""
    study = tune(
        evaluation(megabytes),
        {"x": hp.uniform("x", 0, 1)},
        sampler="random",
        scheduler=ASHA(1, 9, audit=0),
        on=Spark(SLOTS, session=spark),
        max_trials=configurations,
        seed=0,
        progress=False,
    )
    trials = [*study.records.values()]
    starts = [trial.started or 0.0 for trial in trials]
    last = max(starts)
    worked = sum(min(SECONDS, last - start) for start in starts)
    results = [trial.result or {} for trial in trials if trial.parent is not None]
    lost = sum(not result.get("continued") for result in results)
    busy = worked / (SLOTS * (last - min(starts)) or 1.0)
    return f"{len(trials):12}{len(results):12}{lost:6}{busy:8.1%}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=("classic", "connect"), default="classic")
    parser.add_argument("--megabytes", nargs="*", type=int, default=[0, 10])
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    print(f"{'':10}{'MB':>4}{'evaluations':>12}{'promotions':>12}{'lost':>6}{'busy':>8}")
    with session(options.kind, SLOTS) as given:
        run(given["spark_session"], 0, SLOTS)
        for megabytes in options.megabytes:
            told = run(given["spark_session"], megabytes, CONFIGURATIONS)
            print(f"{options.kind:10}{megabytes:4}{told}", flush=True)


if __name__ == "__main__":
    main()
