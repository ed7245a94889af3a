"""A search space as a graph."""

from sparktune.hyperopt._conditions import dot_hyperparameters

__all__ = ["dot_hyperparameters"]
