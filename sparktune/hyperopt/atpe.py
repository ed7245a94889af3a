"""What stands in for Hyperopt's adaptive TPE: sparktune's TPE."""

from sparktune.hyperopt._algorithms import atpe as suggest

__all__ = ["suggest"]
