"""Hyperparameter searches for scikit-learn, whose modules are `sklearn` without a dot in front.

search             `SparkSearchCV`: its options; the others build on it
fitting            what `fit` does
running            how candidates are evaluated
by_time            folds or candidates as tasks, as their time says
racing             candidates that get their folds one by one; the scheduler is `Folds`
resource, growing  candidates whose samples, or a parameter of theirs, grow; schedulers as `ASHA`
repeats            repeated cross-validation for the best candidates
nested             nested cross-validation
spaces             spaces as users of scikit-learn and of other libraries write them
fold               the evaluation of a candidate on folds, which travels to workers
recorder           the predictions that a model makes while it is scored, which travels, too
checks, failures   what is refused at once, and what is said of candidates without a score
predictions        which predictions for test folds are kept, and how they are read
weighted           scores of kept predictions on many samples of them at once
corrected, honest  what the best score is worth
choosing           the best is chosen, and fitted on all data
choice             which candidate is chosen; leaderboard
ensemble           ensembles of candidates
rows               what its folds make of a candidate: a result, and a row of `cv_results_`
hyperopt_search    `HyperoptSearchCV`, with the names and types of `fmin`
flattening         the parameters of a candidate
scorers            what scores candidates
automatic          `any_classifier`, `any_regressor`: models whose space nobody has to write
preparation        what makes numbers of the columns of a table
export             an estimator as the program that makes it
catalogue          scikit-learn's models with their search spaces
processes          trials in processes of this machine
"""

try:
    from sparktune.sklearn.automatic import any_classifier, any_regressor
    from sparktune.sklearn.failures import NoCandidateScored
    from sparktune.sklearn.hyperopt_search import HyperoptSearchCV
    from sparktune.sklearn.search import SparkSearchCV
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sklearn":
        raise
    raise ImportError(
        f"sparktune.sklearn needs scikit-learn 1.3 or newer ({error}): "
        "pip install 'sparktune[sklearn]'"
    ) from error

__all__ = [
    "HyperoptSearchCV",
    "NoCandidateScored",
    "SparkSearchCV",
    "any_classifier",
    "any_regressor",
]
