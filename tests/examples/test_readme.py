"""The README's program runs, and its commands are the ones that are used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("spark")
def test_the_program_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    program, printed = re.findall(r"```(?:python|text)\n(.*?)```", README, re.DOTALL)[:2]
    exec(program, {"__name__": "__main__"})
    digits = re.compile(r"\d\.\d+")
    _bar, expected = printed.split("\n", maxsplit=1)
    assert digits.sub("#", capsys.readouterr().out) == digits.sub("#", expected)


def test_continuous_integration_runs_the_command_for_tests() -> None:
    [command] = re.findall(r"Run the tests:\n\n```sh\n(.*)\n```", README)
    assert (REPOSITORY / ".ci" / "run").read_text().splitlines()[-1] == command
