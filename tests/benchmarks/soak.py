"""Whether the driver stays as it is while trials come and go: memory, threads, open files.

    python -m tests.benchmarks.soak [--trials 2000] [--kind classic|connect] [--asha]

Runs that many trials on local[4], or on a Spark Connect server of four slots, with TPE over ten
parameters; each prints a line and returns a dict with ten numbers. Every 200 trials a line of the
table says how the driver's Python process is then. Its records grow with the trials: `records`
estimates by how much, as the size of their pickle. With `--asha` the trials are evaluations with
1 to 27 epochs, each of which leaves a state of 100 kB, by which its configuration goes on.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import threading
from typing import Any

import sparktune
from sparktune.history import View
from sparktune.stopping.rules import Rule
from tests.benchmarks.wide import SPACE, resident, session

FORM = "{:>7} {:>8} {:>11} {:>8} {:>6}"
EVERY = 200


def objective(config: Any) -> dict[str, Any]:
    """A result such as programs return."""
    loss = float(sum(config[f"x{i}"] ** 2 for i in range(8)))
    print("loss", loss)
    return {"loss": loss, "status": "ok", **{f"metric {i}": loss / (i + 1) for i in range(10)}}


def epochs(config: Any, budget: int, state: Any = None) -> dict[str, Any]:
    """The same with a state, which must be there for every promotion."""
    if budget > 1 and state is None:
        raise ValueError("the state is lost")
    return objective(config) | {"state": bytes(100_000)}


class Watch(Rule):
    """A stopping rule that prints a line every 200 trials."""

    def __init__(self, trials: Any, most: int) -> None:
        self.trials = trials
        self.most = most
        self.next = EVERY

    def stop(self, history: View) -> str | None:
        """Look at the driver."""
        ended = int((~history.pending).sum())
        if ended >= self.next:
            self.next += EVERY
            records = len(pickle.dumps(dict(self.trials.records))) / 1e6
            files = len(os.listdir("/proc/self/fd"))
            cells = (f"{resident():.1f}", f"{records:.2f}", threading.active_count(), files)
            print(FORM.format(ended, *cells), flush=True)
        return "enough" if ended >= self.most else None


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--kind", choices=("classic", "connect"), default="classic")
    parser.add_argument("--asha", action="store_true")
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with session(options.kind, 4) as given:
        trials = sparktune.SparkTrials(parallelism=4, **given)
        print(FORM.format("trials", "RSS MB", "records MB", "threads", "files"))
        sparktune.fmin(
            epochs if options.asha else objective,
            SPACE,
            sparktune.tpe.suggest,
            options.trials,
            trials=trials,
            show_progressbar=False,
            seed=0,
            early_stop_fn=Watch(trials, options.trials),
            scheduler=sparktune.ASHA(1, 27) if options.asha else None,
        )


if __name__ == "__main__":
    main()
