"""`HyperoptSearchCV`, a search for scikit-learn. Needs scikit-learn."""

from sparktune.sklearn import HyperoptSearchCV

__all__ = ["HyperoptSearchCV"]
