"""The entries of the catalogue, read from its tables.

An entry is a table under the name of the component:

    estimator   the class, as module.Class
    node        the name of its node in a search space; by default sklearn_ and the class's name
    space       {parameter: where it is searched}, in the table language of study files
    given       {parameter: value} that is not searched
    inner       {parameter: group}: a parameter that is a model itself, chosen from a group
    needs       what must hold of the data: "nonnegative", "counts", "texts", "categories",
                "unit interval" of the features; "nonnegative targets", "positive targets"
    sparse      whether it takes sparse matrices
    targets     "several" if it needs more than one target
    like        another entry, of which this one has everything that it does not say itself
    without     parameters that are not searched although those of `like` are

In a space, the text "None" stands for None, a number that is rounded to whole numbers is an int,
and an option that is a table with the parameter's own name holds further parameters, which are
searched if it is chosen:

    kernel = {choice = ["linear", {kernel = "rbf", gamma = {uniform = [0, 1]}}]}

Parameters that the installed version of the estimator does not have are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Table = dict[str, Any]
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A component as the tables describe it."""

    name: str
    kind: str  # "classifier", "regressor" or "preprocessor"
    estimator: str
    node: str
    space: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    inner: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    sparse: bool = False
    targets: str = "one"


@cache
def entries() -> dict[str, Entry]:
    """{name: entry} of all components."""
    kinds = ("classifier", "regressor", "preprocessor")
    tables = {kind: read(f"{kind}s.toml") for kind in kinds}
    known = {name: table for each in tables.values() for name, table in each.items()}
    return {
        name: _entry(name, kind, _whole(name, known)) for kind in kinds for name in tables[kind]
    }


@cache
def read(file: str) -> Table:
    """The content of a file of the catalogue."""
    return tomllib.loads((_HERE / file).read_text())


def _whole(name: str, known: Mapping[str, Table]) -> Table:
    """The table of an entry, completed with the values of the entry that it extends."""
    table = dict(known[name])
    if (like := table.pop("like", None)) is None:
        return table
    whole = _whole(like, known)
    space = {
        key: value
        for key, value in whole.get("space", {}).items()
        if key not in table.get("without", ())
    }
    whole.pop("without", None), whole.pop("node", None)
    return whole | table | {"space": space | table.get("space", {})}


def _entry(name: str, kind: str, table: Table) -> Entry:
    table.pop("without", None)
    needs = tuple(table.pop("needs", ()))
    node = table.pop("node", "sklearn_" + table["estimator"].rpartition(".")[2])
    return Entry(name, kind, needs=needs, node=node, **table)
