"""The README's program runs, and its commands are the ones that are used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_program_prints_what_it_says() -> None:
    program, printed = re.findall(r"```(?:python|text)\n(.*?)```", README, re.DOTALL)[:2]
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    digits = re.compile(r"\d\.\d+")
    assert digits.sub("#", result.stdout) == digits.sub("#", "\n".join(printed.split("\n")[1:]))


def test_continuous_integration_runs_the_command_for_tests() -> None:
    [command] = re.findall(r"Run the tests:\n\n```sh\n(.*)\n```", README)
    assert (REPOSITORY / ".ci" / "run").read_text().splitlines()[-1] == command
