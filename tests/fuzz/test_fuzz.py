"""A small part of the hostile inputs, the same each time; the large run is a command."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.fuzz.__main__ import fuzz

SMALL = {"journal": 300, "study": 600, "pickle": 1000}


@pytest.mark.parametrize("reader", SMALL)
def test_hostile_inputs(reader: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "sparktune")
    words, broken = fuzz(reader, range(SMALL[reader]), 1, tmp_path)
    assert not broken, "\n\n".join(broken[:5])
    assert len(words) > 1  # some are refused, some are read
