"""sparktune's TPE, under the name of Hyperopt's adaptive TPE."""

from sparktune.hyperopt._algorithms import atpe as suggest

__all__ = ["suggest"]
