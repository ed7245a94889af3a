"""What large data in an objective's closure cost in memory, in all worker processes together.

Four trials at once add up an array of 100 MB, and tell the memory of their process once all of them
have: its share of what it has in common with others, and all of what it has alone (PSS, of Linux).
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import sparktune
from tests.benchmarks.dispatchers import SLOTS

SIZE = 100 << 20
_FORM = "{:<19} {:>12} {:>12} {:>18}"
HEAD = _FORM.format("4 workers, PSS", "tiny MB", "100 MB", "growth / 100 MB")


def growth(kind: str, session: Any) -> str:
    """One line: the memory of four workers with a tiny closure and with a large one."""
    memory(session, 0)  # imports
    tiny, large = (memory(session, size) / 2**20 for size in (0, SIZE))
    ratio = (large - tiny) * 2**20 / SIZE
    name = kind.replace("plain", "sparktune,")
    return _FORM.format(name, f"{tiny:.0f}", f"{large:.0f}", f"{ratio:.2f}")


def memory(session: Any, size: int) -> int:
    """Bytes that four workers hold together with `size` bytes in the closure."""
    with tempfile.TemporaryDirectory() as folder:
        trials = sparktune.SparkTrials(SLOTS, spark_session=session)
        space = sparktune.hp.uniform("x", 0, 1)
        objective = using(size, Path(folder))
        sparktune.fmin(objective, space, max_evals=SLOTS, trials=trials, show_progressbar=False)
        return sum(result["memory"] for result in trials.results)


def using(size: int, folder: Path) -> Callable[[float], dict[str, Any]]:
    """An objective that reads all its data and tells the memory of its process."""
    data, place = np.random.default_rng(0).random(size // 8), str(folder)

    def together(what: str) -> None:
        with open(os.path.join(place, f"{what} {uuid.uuid4().hex}"), "w"):
            pass
        while sum(name.startswith(what) for name in os.listdir(place)) < SLOTS:
            time.sleep(0.01)

    def objective(x: float) -> dict[str, Any]:
        total = float(data.sum())
        together("read")
        with open("/proc/self/smaps_rollup") as lines:
            [kilobytes] = (int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        together("told")
        return {"loss": total * 0, "status": "ok", "memory": kilobytes << 10}

    return objective
