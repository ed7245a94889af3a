"""Hyperopt's names for sparktune: `import sparktune.hyperopt as hyperopt`.

A program written for Hyperopt runs unchanged once it imports `sparktune.hyperopt`. Modules without
an underscore only export Hyperopt's names. They use sparktune's space, samplers, study, loop and
executors; modules with an underscore have the code that only programs for Hyperopt need.

    load_trials             reads trials that Hyperopt pickled
    install_as_hyperopt     makes `import hyperopt` use this package, also in other packages
"""

from sparktune.hyperopt import (
    anneal,
    atpe,
    base,
    early_stop,
    exceptions,
    graph_viz,
    hp,
    mix,
    progress,
    pyll,
    pyll_utils,
    rand,
    spark,
    tpe,
    utils,
)
from sparktune.hyperopt._install import install_as_hyperopt
from sparktune.hyperopt._pickles import load_trials
from sparktune.hyperopt.base import (
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATES,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_STRINGS,
    STATUS_SUSPENDED,
    Ctrl,
    Domain,
    Trials,
    trials_from_docs,
)
from sparktune.hyperopt.fmin import (
    FMinIter,
    fmin,
    fmin_pass_expr_memo_ctrl,
    partial,
    space_eval,
)
from sparktune.hyperopt.spark import SparkTrials

__version__ = "0.3.0"
"""The version of Hyperopt whose names this package provides."""

__all__ = [
    "JOB_STATES",
    "JOB_STATE_DONE",
    "JOB_STATE_ERROR",
    "JOB_STATE_NEW",
    "JOB_STATE_RUNNING",
    "STATUS_FAIL",
    "STATUS_NEW",
    "STATUS_OK",
    "STATUS_RUNNING",
    "STATUS_STRINGS",
    "STATUS_SUSPENDED",
    "Ctrl",
    "Domain",
    "FMinIter",
    "SparkTrials",
    "Trials",
    "anneal",
    "atpe",
    "base",
    "early_stop",
    "exceptions",
    "fmin",
    "fmin_pass_expr_memo_ctrl",
    "graph_viz",
    "hp",
    "install_as_hyperopt",
    "load_trials",
    "mix",
    "partial",
    "progress",
    "pyll",
    "pyll_utils",
    "rand",
    "space_eval",
    "spark",
    "tpe",
    "trials_from_docs",
    "utils",
]
