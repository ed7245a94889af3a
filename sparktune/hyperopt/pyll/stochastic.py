"""Random distributions, and samples of expressions."""

from sparktune.hyperopt._evaluation import rec_eval
from sparktune.space.draws import (
    categorical,
    lognormal,
    loguniform,
    normal,
    qlognormal,
    qloguniform,
    qnormal,
    quniform,
    randint,
    rng_from_seed,
    uniform,
)
from sparktune.space.evaluation import clone, dfs, sample
from sparktune.space.expression import as_apply, scope

__all__ = [
    "as_apply",
    "categorical",
    "clone",
    "dfs",
    "lognormal",
    "loguniform",
    "normal",
    "qlognormal",
    "qloguniform",
    "qnormal",
    "quniform",
    "randint",
    "rec_eval",
    "rng_from_seed",
    "sample",
    "scope",
    "uniform",
]
