"""The conditions of the parameters of a space."""

from sparktune.hyperopt._conditions import EQ, Cond, expr_to_config

__all__ = ["EQ", "Cond", "expr_to_config"]
