"""scikit-optimize's names for sparktune, for programs written for scikit-optimize.

    import sparktune.skopt as skopt

The minimizers, `Optimizer` and `BayesSearchCV` work as in scikit-optimize, and evaluate on Spark
with `on=Spark(parallelism=8)`. They use sparktune's models and search. A table in
`examples/scikit_optimize.py` lists the differences and their reasons.
"""

from sparktune.skopt import acquisition, benchmarks, callbacks, learning, optimizer, sampler, space
from sparktune.skopt._install import install_as_skopt
from sparktune.skopt._versions import show_versions
from sparktune.skopt.optimizer import (
    Optimizer,
    dummy_minimize,
    forest_minimize,
    gbrt_minimize,
    gp_minimize,
)
from sparktune.skopt.searchcv import BayesSearchCV
from sparktune.skopt.space import Space
from sparktune.skopt.utils import (
    dump,
    expected_minimum,
    expected_minimum_random_sampling,
    load,
)

__version__ = "0.10.2"
"""The version of scikit-optimize whose names this package provides."""

__all__ = [
    "BayesSearchCV",
    "Optimizer",
    "Space",
    "acquisition",
    "benchmarks",
    "callbacks",
    "dummy_minimize",
    "dump",
    "expected_minimum",
    "expected_minimum_random_sampling",
    "forest_minimize",
    "gbrt_minimize",
    "gp_minimize",
    "install_as_skopt",
    "learning",
    "load",
    "optimizer",
    "sampler",
    "show_versions",
    "space",
]
