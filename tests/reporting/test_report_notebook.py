"""What a real notebook shows of a run and of a report."""

from __future__ import annotations

import os
import re
import sys
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.browser import Browser

pytestmark = pytest.mark.skipif(not find_spec("nbclient"), reason="nbclient is not installed")

RUN = """
from sparktune import hp, tune
study = tune(lambda x: x * x, hp.uniform("x", -3, 3), max_trials=30, seed=1, progress="live")
"""
DATABRICKS = """
shown = []
displayHTML = shown.append
study.report().show()
print(shown == [study.report().html])
"""


@pytest.fixture(scope="module")
def cells() -> list[list[Any]]:
    """What each cell shows."""
    import nbclient
    import nbformat

    sources = [
        nbformat.v4.new_code_cell(source) for source in (RUN, "study.report().show()", DATABRICKS)
    ]
    notebook = nbformat.v4.new_notebook(cells=sources)
    before = os.environ["PATH"]  # the kernel is the python that is found first
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        nbclient.NotebookClient(notebook, timeout=300, resources={}).execute()
    finally:
        os.environ["PATH"] = before
    return [cell.outputs for cell in notebook.cells]


def of_kind(outputs: list[Any], kind: str) -> list[str]:
    return [each["data"][kind] for each in outputs if kind in each.get("data", {})]


def test_a_run_shows_one_summary_that_ends_up_to_date(cells: list[list[Any]]) -> None:
    (shown,) = of_kind(cells[0], "text/html")
    assert "all trials done" in shown
    assert "30 ok" in shown
    assert "<svg" in shown
    assert len(shown) < 40_000
    assert not [each for each in cells[0] if each["output_type"] == "error"]


def test_a_report_is_shown_in_a_frame_that_draws_it(
    cells: list[list[Any]], browser: Browser
) -> None:
    (shown,) = of_kind(cells[1], "text/html")
    source = re.search(r'<iframe sandbox="allow-scripts" [^>]*srcdoc="([^"]*)"', shown)
    assert source
    assert "Loss history" in unescape(source[1])
    page = browser.page(f'<!doctype html><meta charset="utf-8">{shown}')
    assert page.complaints == []


def test_databricks_shows_a_report_in_its_own_way(cells: list[list[Any]]) -> None:
    (printed,) = cells[2]
    assert printed["text"] == "True\n"
