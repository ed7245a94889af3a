"""Earlier names of `sparktune.sklearn.hyperopt_search`."""

from sparktune.sklearn import HyperoptSearchCV, NoCandidateScored

__all__ = ["HyperoptSearchCV", "NoCandidateScored"]
