"""Hyperparameter searches for scikit-learn, whose modules are `sklearn` without a dot in front.

hyperopt_search    `HyperoptSearchCV`: fits, and chooses the best candidate
candidate          the evaluation of one candidate
table              `cv_results_`
"""

try:
    from sparktune.sklearn.hyperopt_search import HyperoptSearchCV, NoCandidateScored
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError(
        f"sparktune.sklearn needs scikit-learn 1.3 or newer ({error}): "
        "pip install 'sparktune[sklearn]'"
    ) from error

__all__ = ["HyperoptSearchCV", "NoCandidateScored"]
