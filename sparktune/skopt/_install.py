"""Standing in for scikit-optimize in programs and packages that import it by its name."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module

from sparktune.errors import SparktuneError

DOORS = (
    *("acquisition", "benchmarks", "callbacks", "learning", "learning.forest", "learning.gbrt"),
    *("learning.gaussian_process", "learning.gaussian_process.gpr"),
    *("learning.gaussian_process.kernels", "optimizer", "optimizer.base", "optimizer.dummy"),
    *("optimizer.forest", "optimizer.gbrt", "optimizer.gp", "optimizer.optimizer"),
    *("sampler", "sampler.grid", "sampler.halton", "sampler.hammersly", "sampler.lhs"),
    *("sampler.base", "sampler.sobol", "searchcv", "space", "space.space", "space.transformers"),
    "utils",
)
"""The modules of scikit-optimize that are here; `plots` too, where matplotlib is installed."""


def install_as_skopt() -> None:
    """Make `import skopt` give `sparktune.skopt`, for packages whose imports you cannot change.
    Call it before they are imported.

    Raises:
        SparktuneError: scikit-optimize itself has been imported.
    """
    package = import_module("sparktune.skopt")
    if sys.modules.get("skopt", package) is not package:
        raise SparktuneError(
            "skopt has been imported already; call install_as_skopt() before anything imports it"
        )
    sys.modules["skopt"] = package
    for name in DOORS:
        sys.modules[f"skopt.{name}"] = import_module(f"sparktune.skopt.{name}")
    with suppress(ImportError):  # a program that wants it gets the error when it imports it
        sys.modules["skopt.plots"] = import_module("sparktune.skopt.plots")
