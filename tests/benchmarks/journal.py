"""What a journal costs: milliseconds a trial, seconds to read it back.

    python -m tests.benchmarks.journal

A trial has ten parameters and a result of ten numbers. Writing is measured with and without the
time that `fsync` takes, which is the disk's; reading on 100,000 trials.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktune.events import Asked, Begun, Limit, Told
from sparktune.journal.journal import Journal, read
from sparktune.trial import Header, Outcome, Status, Trial

TRIALS, READ = 2_000, 100_000


def trial(id: int) -> Trial:
    return Trial(id, {f"parameter_{i}": id * 0.1 + i for i in range(10)}, asked=time.time())


def outcome(id: int) -> Outcome:
    result = {"loss": 0.1 * id, "status": "ok", **{f"metric_{i}": 0.3 * i for i in range(8)}}
    now = time.time()
    return Outcome(id, Status.OK, 0.1 * id, result, started=now, finished=now)


def written(path: Path, n: int) -> float:
    """Seconds that n trials take to write."""
    journal = Journal(str(path))
    journal([Begun(Header("objective", 1, "", {}, 0.0), Limit(n, n))])
    events = [(Asked(trial(id)), outcome(id)) for id in range(n)]
    begun = time.perf_counter()
    for asked, end in events:
        journal([asked])
        journal([Told(asked.trial.told(end), end)])
    seconds = time.perf_counter() - begun
    journal.close()
    return seconds


def without_fsync(measured: Callable[[], float]) -> float:
    real = os.fsync
    os.fsync = lambda fd: None
    try:
        return measured()
    finally:
        os.fsync = real


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synced = written(folder / "synced", TRIALS)
        plain = without_fsync(lambda: written(folder / "plain", TRIALS))
        print(f"writing: {plain / TRIALS * 1e3:.3f} ms a trial, ", end="")
        print(f"{synced / TRIALS * 1e3:.3f} ms with fsync")
        without_fsync(lambda: written(folder / "large", READ))
        size = (folder / "large").stat().st_size
        before: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun, cpu = time.perf_counter(), time.process_time()
        events = read(str(folder / "large"))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"reading {len(events) // 2:,} trials, {size / 1e6:.0f} MB: {seconds:.2f} s, ", end=""
        )
        print(f"of them {cpu:.2f} s of processor time", end="")
        print(f"; peak memory {before / 1024:.0f} -> {after / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
