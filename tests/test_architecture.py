"""The import rules of the package, as its docstring states them, held against the code."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sparktune

ROOT = Path(sparktune.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")

# Third-party packages by room; the standard library is allowed everywhere.
ALLOWED = {
    "space": {"numpy", "scipy"},
    "samplers": {"numpy", "scipy", "threadpoolctl"},
    "surrogates": {"numpy", "scipy", "sklearn"},
    "history": {"numpy"},
    "ends": {"numpy"},
    "ranks": {"numpy"},
    "schedulers": {"numpy"},
    "budgets": {"numpy", "fsspec"},
    "stopping": {"numpy"},
    "proposals": {"numpy"},
    "study": {"numpy"},
    "limits": {"numpy"},
    "testing": {"numpy"},
    "observers": {"numpy", "tqdm", "IPython"},
    "executors": {"pyspark", "py4j", "pyarrow", "fsspec"},
    "parallel_trials": {"pyspark"},
    "results": {"numpy", "pandas", "sklearn"},
    "journal": {"fsspec"},
    "tracked": {"mlflow"},
    "tracking": {"mlflow"},
    "plots": {"numpy", "matplotlib"},
    "reporting": {"numpy", "IPython"},
    "sklearn": {"joblib", "numpy", "scipy", "sklearn", "tomli", "tomllib"},
    "hpsklearn": {"numpy", "scipy", "sklearn"},
    "hyperopt": {"numpy", "tqdm"},
    "skopt": {"numpy", "scipy", "sklearn", "joblib", "matplotlib", "yaml"},
    "cli": {"tomli", "tomllib"},  # tomllib: since Python 3.11
}
STDLIB_ONLY = {"errors", "trial", "events", "worker", "sharing", "printable", "told_noise"}
PYSPARK_MODULES = re.compile(r"executors\.(_?spark_\w+|platforms)$|^parallel_trials$")


def rows() -> dict[str, int]:
    """The row of each room, read from the package's docstring."""
    found: dict[str, int] = {}
    for line in (sparktune.__doc__ or "").splitlines():
        if match := re.fullmatch(r"    (\d+) +(\w[\w, |]+)", line):
            rooms = re.split(r"[,|]", match[2])
            found.update({room.strip(): int(match[1]) for room in rooms})
    return found


ROWS = rows()


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> list[str]:
    """Every imported module of a file, wherever the import stands."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            package = node.module or ""
            submodules = [f"{package}.{alias.name}" for alias in node.names]
            ours = package.partition(".")[0] == "sparktune"
            yield from [name for name in submodules if ours and is_module(name)] or [package]


def is_module(name: str) -> bool:
    """Whether it is a file or a folder of ours."""
    path = ROOT.parent / name.replace(".", "/")
    return path.exists() or path.with_suffix(".py").exists()


def test_the_docstring_lists_every_room() -> None:
    rooms = {name_of(path).split(".")[0] for path in MODULES}
    assert rooms == set(ROWS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    """Rooms of rows above its own, and the packages that are listed."""
    name, foreign = name_of(path), set[str]()
    room = name.split(".")[0]
    for imported in imports(path):
        package, _, inside = imported.partition(".")
        if package == "sparktune":
            assert inside, "the public face is not for internal use"
            other = inside.split(".")[0]
            assert other == room or ROWS[other] < ROWS[room], f"{name} imports {imported}"
        elif package not in sys.stdlib_module_names:
            foreign.add(package)
    assert foreign <= ALLOWED.get(room, set())
    if "pyspark" in foreign:
        assert PYSPARK_MODULES.search(name)
    if room in STDLIB_ONLY:
        assert not foreign


def test_no_module_imports_itself_by_a_detour() -> None:
    """Imports inside functions are counted, too."""
    names = {name_of(path) for path in MODULES}
    graph = {
        name_of(path): {
            m.removeprefix("sparktune.") for m in imports(path) if m.startswith("sparktune.")
        }
        & names - {name_of(path)}
        for path in MODULES
    }
    TopologicalSorter(graph).prepare()  # a CycleError names the circle


def test_executors_know_neither_study_nor_samplers() -> None:
    for path in (ROOT / "executors").glob("*.py"):
        assert not {m.split(".")[1] for m in imports(path) if m.startswith("sparktune.")} & {
            "study",
            "samplers",
            "loop",
        }


def test_the_worker_imports_nothing_of_the_package() -> None:
    assert not [name for name in imports(ROOT / "worker.py") if name.startswith("sparktune")]
