"""Several algorithms by turns."""

from sparktune.hyperopt._algorithms import mix as suggest

__all__ = ["suggest"]
