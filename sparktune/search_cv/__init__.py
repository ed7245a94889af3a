"""A hyperparameter search for scikit-learn.

search       `HyperoptSearchCV`: fits, and chooses the best candidate
candidate    the evaluation of one candidate
table        `cv_results_`
"""

try:
    from sparktune.search_cv.search import HyperoptSearchCV, NoCandidateScored
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError(
        f"HyperoptSearchCV needs scikit-learn 1.3 or newer ({error}): "
        "pip install 'sparktune[sklearn]'"
    ) from error

__all__ = ["HyperoptSearchCV", "NoCandidateScored"]
