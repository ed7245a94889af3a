"""Studies to report on, without running anything."""

from __future__ import annotations

import math
import random

from sparktune import Study, hp
from sparktune.trial import Failure, Outcome, Status

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\x00\x1b[2J\u202e'\"&lt;"
)
BEGUN = 1.7e9  # seconds since the epoch

SPACE = {
    "lr": hp.loguniform("lr", -9, 0),
    "depth": hp.randint("depth", 1, 20),
    "model": hp.choice(
        "model",
        [
            {"kind": "svm", "C": hp.lognormal("C", 0, 2)},
            {"kind": "forest", "trees": hp.quniform("trees", 10, 500, 10)},
            "linear",
        ],
    ),
    HOSTILE: hp.choice(HOSTILE, ["relu", HOSTILE, "😀 tanh"]),
}


def made(n: int = 150, seed: int = 0, **told: object) -> Study:
    """n ended trials on six slots: noisy losses, a few huge; most of deep trees fail, some are
    killed.
    """
    study = Study(SPACE, "random", seed=seed, clock=lambda: BEGUN)
    rng = random.Random(seed)
    free = [BEGUN] * 6
    for trial in study.ask(n):
        values = trial.values
        slot = min(range(6), key=free.__getitem__)
        begin, took = free[slot], rng.lognormvariate(2, 0.7)
        free[slot] += took + rng.random()
        if values["depth"] > 15 and rng.random() < 0.9:
            failure = Failure(
                "MemoryError", f"no room for {rng.randrange(10**6)} bytes {HOSTILE}", HOSTILE
            )
            end = Outcome(
                trial.id, Status.ERROR, failure=failure, started=begin, finished=begin + took / 4
            )
        else:
            loss = (math.log10(values["lr"]) + 2) ** 2 + rng.gauss(0, 0.05)
            loss += 50 * (rng.random() < 0.03)
            result = {"loss": loss, **told}
            end = Outcome(
                trial.id, Status.OK, loss, result, None, begin, begin + took, log=f"{HOSTILE}\n"
            )
        study.tell(trial, end)
    return study


def wide(n: int, d: int) -> Study:
    """n trials over d parameters; every thousandth fails."""
    study = Study({f"x{j}": hp.uniform(f"x{j}", 0, 1) for j in range(d)}, "random", seed=0)
    for trial in study.ask(n):
        loss = sum(float(value) for value in trial.values.values())
        study.tell(trial, ValueError("no") if trial.id % 1000 == 7 else loss)
    return study
