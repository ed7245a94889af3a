"""Simulated annealing: random search that samples ever closer to the best trials."""

from sparktune.hyperopt._algorithms import anneal_batch as suggest_batch
from sparktune.hyperopt._algorithms import anneal_suggest as suggest

__all__ = ["suggest", "suggest_batch"]
