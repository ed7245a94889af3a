"""What the package shows, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sparktune


def test_all_public_names_exist_and_are_sorted() -> None:
    from sparktune import __all__ as names

    assert all(hasattr(sparktune, name) for name in names)
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))


def test_importing_sparktune_loads_no_heavy_package() -> None:
    code = "import sys, sparktune; print(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    heavy = {"pyspark", "py4j", "scipy", "scipy.stats", "pandas", "sklearn", "matplotlib", "tqdm"}
    assert not loaded & heavy
    assert "numpy" in loaded


def test_importing_sparktune_loads_nothing_of_the_standard_library_that_few_runs_need() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import sparktune; "
        "print(*sorted(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    few = {"tempfile", "shutil", "bz2", "lzma", "html", "uuid", "pathlib", "urllib.parse"}
    assert not few & set(result.stdout.split())


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = sparktune.nothing
