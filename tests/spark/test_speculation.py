"""Trials that Spark runs twice at once, because they take long."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any


def test_of_two_copies_of_a_trial_one_result_counts(standalone: Any, tmp_path: Path) -> None:
    code = f"""
        import os, pathlib, time
        import sparktune
        from sparktune import SparkTrials, fmin, hp

        session = sparktune.local_session(
            spark__master={standalone.address!r},
            spark__speculation="true",
            spark__speculation__interval="100ms",
            spark__speculation__task__duration__threshold="1s",
        )
        log = pathlib.Path({str(tmp_path)!r}, "log")
        log.mkdir()

        def objective(winner):
            for copy in ("the first", "the second"):
                try:
                    (log / f"{{winner}} wins: {{copy}} begins").touch(exist_ok=False)
                    break
                except FileExistsError:
                    pass
            while winner != "nobody" and len(list(log.glob(f"{{winner}} wins: *"))) < 2:
                time.sleep(0.05)
            if winner not in (copy, "nobody"):
                time.sleep(600)
            return {{"loss": 0, "status": "ok", "copy": copy}}

        kinds = ["the first", "the second", "nobody"]
        trials = SparkTrials(1, retries=0)
        fmin(objective, hp.choice("kind", kinds), max_evals=0, trials=trials, verbose=False,
             points_to_evaluate=[{{"kind": kind}} for kind in range(3)])
        print([trial.status.value for trial in trials.records.values()])
        print([result["copy"] for result in trials.results])
        print(len(list(log.iterdir())))
        session.stop()
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300
    )
    lines = ["['ok', 'ok', 'ok']", "['the first', 'the second', 'the first']", "5"]
    assert result.stdout.splitlines() == lines, result.stderr
