"""`HyperoptSearchCV`, a search for scikit-learn. Needs scikit-learn."""

from sparktune.search_cv import HyperoptSearchCV

__all__ = ["HyperoptSearchCV"]
