"""What a Jupyter notebook shows: a guide, run as one, and the studies and plots in its cells."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not find_spec("nbclient"), reason="nbclient is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWN = """
from sparktune import plots

plots.history(study)
"""


def notebook_of(path: Path) -> Any:
    """A Databricks notebook in source format, as a Jupyter notebook."""
    import nbformat

    cells = []
    for source in path.read_text(encoding="utf-8").split("# COMMAND ----------"):
        lines = source.replace("# Databricks notebook source\n", "").strip().splitlines()
        if lines and lines[0].startswith("# MAGIC %md"):
            prose = "\n".join(line.removeprefix("# MAGIC").strip() for line in lines[1:])
            cells.append(nbformat.v4.new_markdown_cell(prose))
        elif lines:
            cells.append(nbformat.v4.new_code_cell("\n".join(lines)))
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def shown() -> list[dict[str, Any]]:
    """What the last cells of a notebook show, by their kind: study, `repr`, plot."""
    import nbclient
    import nbformat

    notebook = notebook_of(EXAMPLES / "first_steps.py")
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in ("study", "repr(study)", SHOWN)]
    kernel = {"name": "python3", "display_name": "python3", "language": "python"}
    notebook.metadata["kernelspec"] = kernel
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    os.environ["MAX_EVALS"] = "25"
    try:
        nbclient.NotebookClient(notebook, timeout=300, resources={}).execute()
    finally:
        os.environ["PATH"] = before
        del os.environ["MAX_EVALS"]
    return [cell.outputs[-1]["data"] for cell in notebook.cells[-3:]]


def test_a_study_is_a_summary_and_a_table(shown: list[dict[str, Any]]) -> None:
    html = shown[0]["text/html"]
    assert "best loss" in html
    assert "<table" in html


def test_repr_says_what_a_study_holds(shown: list[dict[str, Any]]) -> None:
    assert "trials: " in shown[1]["text/plain"]


def test_a_plot_is_a_picture(shown: list[dict[str, Any]]) -> None:
    assert "image/png" in shown[2]
