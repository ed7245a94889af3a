"""Hyperparameter searches for scikit-learn, whose modules are `sklearn` without a dot in front.

search             `SparkSearchCV`: fits, and chooses the best candidate; the others build on it
spaces             spaces as users of scikit-learn and of other libraries write them
fold               the evaluation of a candidate on folds, which travels to workers
rows               what its folds make of a candidate: a result, and a row of `cv_results_`
hyperopt_search    `HyperoptSearchCV`, with the names and types of `fmin`
candidate          the evaluation of one candidate as a whole
table              its `cv_results_`
"""

try:
    from sparktune.sklearn.hyperopt_search import HyperoptSearchCV
    from sparktune.sklearn.search import NoCandidateScored, SparkSearchCV
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError(
        f"sparktune.sklearn needs scikit-learn 1.3 or newer ({error}): "
        "pip install 'sparktune[sklearn]'"
    ) from error

__all__ = ["HyperoptSearchCV", "NoCandidateScored", "SparkSearchCV"]
