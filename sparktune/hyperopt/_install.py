"""`install_as_hyperopt`: lets programs and packages that import hyperopt use this package."""

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
"""The modules of Hyperopt that this package provides; `sklearn`, too, if scikit-learn is there."""


def install_as_hyperopt() -> None:
    """Make `import hyperopt` return `sparktune.hyperopt`, for packages whose imports you cannot
    change. Call it before you import them.

    Raises:
        SparktuneError: Hyperopt has been imported already.
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
    with suppress(ImportError):  # programs that need it get this error when they import it
        sys.modules["hyperopt.sklearn"] = import_module("sparktune.hyperopt.sklearn")
