"""The example without a loop, as its users run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_ask_and_tell() -> None:
    result = subprocess.run(
        [sys.executable, "examples/ask_and_tell.py"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    first, second, third = result.stdout.splitlines()
    assert re.match(r"40 trials: \d+ ok, \d+ error; best loss 0\.\d+ \(trial \d+\) at ", first)
    assert re.match(
        r"41 trials, best loss 0\.\d+ with \{'catalyst': 'acid', 'minutes': \d+", second
    )
    assert third == "43 trials after 2 more"
