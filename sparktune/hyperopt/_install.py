"""Standing in for Hyperopt in programs and packages that import it by its name."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module

from sparktune.errors import SparktuneError

DOORS = (
    *("anneal", "atpe", "base", "early_stop", "exceptions", "fmin", "graph_viz", "hp", "ipy"),
    *("mix", "mongoexp", "plotting", "progress", "pyll", "pyll.base", "pyll.stochastic"),
    *("pyll_utils", "rand", "spark", "tpe", "utils"),
)
"""The modules of Hyperopt that are here; `sklearn` too, where scikit-learn is installed."""


def install_as_hyperopt() -> None:
    """Make `import hyperopt` give `sparktune.hyperopt`, for packages whose imports you cannot
    change. Call it before they are imported.

    Raises:
        SparktuneError: Hyperopt itself has been imported.
    """
    package = import_module("sparktune.hyperopt")
    if sys.modules.get("hyperopt", package) is not package:
        raise SparktuneError(
            "hyperopt has been imported already; call install_as_hyperopt() before anything "
            "imports it"
        )
    sys.modules["hyperopt"] = package
    for name in DOORS:
        sys.modules[f"hyperopt.{name}"] = import_module(f"sparktune.hyperopt.{name}")
    with suppress(ImportError):  # a program that wants it gets the error when it imports it
        sys.modules["hyperopt.sklearn"] = import_module("sparktune.hyperopt.sklearn")
