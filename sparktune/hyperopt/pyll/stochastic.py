"""Expressions drawn at random."""

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
from sparktune.space.evaluation import sample

__all__ = [
    "categorical",
    "lognormal",
    "loguniform",
    "normal",
    "qlognormal",
    "qloguniform",
    "qnormal",
    "quniform",
    "randint",
    "rng_from_seed",
    "sample",
    "uniform",
]
