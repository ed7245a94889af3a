"""Earlier names of what is in `sparktune.sklearn`, for programs and pickles that have them."""

from sparktune.sklearn import HyperoptSearchCV, NoCandidateScored

__all__ = ["HyperoptSearchCV", "NoCandidateScored"]
