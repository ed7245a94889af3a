"""`HyperoptSearchCV`, a scikit-learn search estimator. Needs scikit-learn."""

from sparktune.sklearn import HyperoptSearchCV

__all__ = ["HyperoptSearchCV"]
