"""Random search."""

from sparktune.hyperopt._algorithms import rand as suggest
from sparktune.hyperopt._algorithms import rand_batch as suggest_batch

__all__ = ["suggest", "suggest_batch"]
