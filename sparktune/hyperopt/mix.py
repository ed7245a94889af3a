"""A mixture of several algorithms."""

from sparktune.hyperopt._algorithms import mix as suggest

__all__ = ["suggest"]
