"""Standing in for hyperopt-sklearn in programs and packages that import it by its name."""

from __future__ import annotations

import sys
from importlib import import_module

from sparktune.errors import SparktuneError
from sparktune.hyperopt import install_as_hyperopt

DOORS = ("components", "estimator", "objects")


def install_as_hpsklearn() -> None:
    """Make `import hpsklearn` give `sparktune.hpsklearn`, and `import hyperopt` give
    `sparktune.hyperopt`, for programs and packages whose imports you cannot change. Call it before
    they are imported.

    Raises:
        SparktuneError: hyperopt-sklearn or Hyperopt itself has been imported.
    """
    package = import_module("sparktune.hpsklearn")
    if sys.modules.get("hpsklearn", package) is not package:
        raise SparktuneError(
            "hpsklearn has been imported already; call install_as_hpsklearn() before anything "
            "imports it"
        )
    install_as_hyperopt()
    sys.modules["hpsklearn"] = package
    for name in DOORS:
        import_module(f"sparktune.hpsklearn.{name}")
    prefix = "sparktune.hpsklearn."
    for name, module in list(sys.modules.items()):
        if name.startswith(prefix) and not name.startswith(f"{prefix}_"):
            sys.modules[f"hpsklearn.{name.removeprefix(prefix)}"] = module
