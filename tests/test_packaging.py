"""What pyproject.toml claims: one version, and lowest versions that are those under test."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sparktune

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).parent.parent


def test_there_is_one_version() -> None:
    assert version("sparktune") == sparktune.__version__


def test_the_lowest_versions_claimed_are_those_under_test() -> None:
    with open(REPOSITORY / "pyproject.toml", "rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    extras = project["optional-dependencies"].values()
    claimed: dict[str, set[str]] = {}
    for each in [*project["dependencies"], *(each for extra in extras for each in extra)]:
        if found := re.match(r"([a-z-]+)(?:\[\w+\])?>=([\d.]+)", each):
            claimed.setdefault(found[1], set()).add(_padded(found[2]))
    pins = (REPOSITORY / "tests" / "lowest.txt").read_text().splitlines()
    tested = dict(line.split("==") for line in pins if not line.startswith("#"))
    assert claimed == {name: {_padded(pin)} for name, pin in tested.items()}


def _padded(number: str) -> str:
    return ".".join([*number.split("."), "0", "0"][:3])
