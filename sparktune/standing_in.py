"""Standing in for another package, in programs that import it by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module

from sparktune.errors import SparktuneError


def stand_in(name: str, doors: Iterable[str], optional: str = "") -> None:
    """Make `import NAME` give `sparktune.NAME`, with its modules.

    Args:
        name: of a package.
        doors: its modules that are here, such as "space.space".
        optional: one more of them, which needs a package that may be missing.

    Raises:
        SparktuneError: the package itself has been imported.
    """
    package = import_module(f"sparktune.{name}")
    if sys.modules.get(name, package) is not package:
        raise SparktuneError(
            f"{name} has been imported already; call install_as_{name}() before anything imports it"
        )
    sys.modules[name] = package
    for door in doors:
        sys.modules[f"{name}.{door}"] = import_module(f"sparktune.{name}.{door}")
    if optional:
        with suppress(ImportError):  # a program that wants it gets the error when it imports it
            sys.modules[f"{name}.{optional}"] = import_module(f"sparktune.{name}.{optional}")
