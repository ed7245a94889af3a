"""`Optimizer` and the minimizers."""

from sparktune.skopt.optimizer.base import base_minimize
from sparktune.skopt.optimizer.dummy import dummy_minimize
from sparktune.skopt.optimizer.forest import forest_minimize
from sparktune.skopt.optimizer.gbrt import gbrt_minimize
from sparktune.skopt.optimizer.gp import gp_minimize
from sparktune.skopt.optimizer.optimizer import Optimizer

__all__ = [
    "Optimizer",
    "base_minimize",
    "dummy_minimize",
    "forest_minimize",
    "gbrt_minimize",
    "gp_minimize",
]
