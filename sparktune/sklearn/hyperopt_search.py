"""`HyperoptSearchCV`: scikit-learn's hyperparameter search, with `fmin` choosing the candidates.

A candidate is one trial: its objective is a `GridSearchCV` of this one candidate over splits that
are made once, so what scikit-learn does with scorers, fit parameters and failing fits happens here
too. The objective is a nested function and refers to nothing of this package: such a function
travels to Spark workers by value, and they need scikit-learn only.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import clone
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable

from sparktune.arguments import whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.limits import seed_of, time_and_loss
from sparktune.observers.progress import bar_on_stderr
from sparktune.parallel_trials import SparkTrials
from sparktune.samplers.algorithms import resolve
from sparktune.sklearn.candidate import (
    Flatten,
    cross_validating,
    fixed,
    flattening,
    fold_error_score,
    routed,
    scorer_of,
)
from sparktune.sklearn.checks import check_parameters, seeded
from sparktune.sklearn.failures import NoCandidateScored
from sparktune.sklearn.fitting import FoldSearch
from sparktune.sklearn.table import ROW, metrics_of, table_of
from sparktune.space.space import Space
from sparktune.trial import Event, Status, Told, Trial
from sparktune.trials import Trials
from sparktune.tuning import tune

_PASSED_ON = ("scoring", "n_jobs", "pre_dispatch", "return_train_score")


class HyperoptSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Cross-validated search over `space`, in which earlier scores guide later candidates.

    It is used like scikit-learn's `RandomizedSearchCV`, and after `fit` like the best estimator.

        search = HyperoptSearchCV(SVC(), {"C": hp.loguniform("C", -3, 7)}, max_evals=50,
                                  trials=SparkTrials(parallelism=8), random_state=0)
        search.fit(X, y).predict(X)

    Args:
        estimator: any scikit-learn estimator, pipelines included.
        space: a dict {parameter: hp.*}, with names as `set_params` takes them ("clf__C"), or a
            choice of such dicts. A dict under a name that is not a parameter is a group: its
            entries count as the space's own, as in
            {"kind": hp.choice("kind", [{"C": ...}, {...}])}.
        max_evals: the number of candidates; under `warm_start` those of earlier fits included.
        trials: `Trials()` (default) evaluates one candidate after the other in this process,
            `SparkTrials(...)` each as a Spark task, `ThreadTrials(...)` several on threads. Spark
            workers need scikit-learn; the data is sent to each of them once.
        algo: what chooses candidates, as in `fmin`; None: TPE.
        warm_start: False: every fit starts over, with the settings of `trials` but none of its
            records; `trials` itself is left alone. True: the first fit continues from `trials`, the
            following ones from `trials_`.
        scoring: as in `GridSearchCV`. With several metrics, the one named by `refit` is maximised,
            or the first one if `refit` is a function or False.
        n_jobs: processes for the folds of one candidate, on each worker.
        refit: whether to fit the best candidate on all data; the name of the metric that says what
            is best; or a function of `cv_results_` that returns the index of the best.
        cv: as in `GridSearchCV`. All candidates of a fit see the same splits.
        verbose: 0: silent; 1: a progress bar; above: scikit-learn's messages as well.
        pre_dispatch: as in `GridSearchCV`.
        random_state: an integer, a `numpy.random.RandomState` or a `numpy.random.Generator` that
            determines the candidates, together with their scores; None: random.
        error_score: the score of a fold that cannot be fitted or scored, and of every fold of a
            candidate without a result; "raise": the first failure ends the search.
        return_train_score: whether `cv_results_` has scores on the training folds.

    Attributes:
        trials_: the trials; each result holds `loss` (the mean test score, negated), `params` and
            `cv_results`.
        cv_results_: {column: array over candidates} as of `GridSearchCV`, in the order of the
            trials' ids, earlier fits' included. Parameters that a candidate lacks are masked.
        best_index_, best_params_, best_score_: the best candidate: its row, its parameters, its
            mean test score. No best_score_ if `refit` is a function; nothing of this if it is False
            and there are several metrics.
        best_estimator_, refit_time_: the best candidate fitted on all data, and the seconds it
            took; only with `refit`.
        scorer_, multimetric_, n_splits_: the scorer or {metric: scorer}, whether there are several
            metrics, and the number of splits.
    """

    def __init__(
        self,
        estimator: Any,
        space: Any,
        max_evals: int,
        trials: Trials | None = None,
        algo: Any = None,
        warm_start: bool = False,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[Any], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.space = space
        self.max_evals = max_evals
        self.trials = trials
        self.algo = algo
        self.warm_start = warm_start
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Tags, for scikit-learn 1.6 and newer: as many targets as the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.estimator.__sklearn_tags__().target_tags.multi_output
        return tags

    set_callbacks = FoldSearch.set_callbacks

    def fit(self, X: Any, y: Any = None, groups: Any = None, **params: Any) -> HyperoptSearchCV:
        """Search, then fit the best candidate on all of X and y.

        Args:
            X: samples, (n_samples, ...).
            y: targets, (n_samples,) or (n_samples, n_outputs); None for unsupervised estimators.
            groups: group labels for the splitter, (n_samples,).
            params: what the estimator's `fit` takes besides; arrays over samples are split.

        Raises:
            InvalidArgument: an argument of the search is wrong; nothing was evaluated.
            Exception: no candidate has a score, and this is why the first one has none; or any
                failure, with `error_score="raise"`.
            NoCandidateScored, TrialFailed: the same, where candidates were evaluated elsewhere; the
                message holds the traceback.
        """
        self._validate_params()
        if groups is not None:
            params = params | {"groups": groups}
        X, y = indexable(X, y)
        scorer = scorer_of(self.estimator, self.scoring, self.refit)
        for_estimator, for_splitter = routed(self, params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **for_splitter))
        self.n_splits_ = len(splits)
        settings = {name: getattr(self, name) for name in _PASSED_ON} | {
            "cv": fixed(cv, splits),
            "verbose": self.verbose if self.verbose > 1 else 0,
            "error_score": fold_error_score(self.error_score, scorer),
        }
        flatten = flattening(self.estimator)
        data = (X, y, params)
        self._search(flatten, cross_validating(self.estimator, settings, self.refit, flatten, data))
        self.scorer_ = scorer
        if self.refit:
            self._refit(X, y, for_estimator)
        return self

    def _search(self, flatten: Flatten, objective: Callable[[Any], Any]) -> None:
        """Evaluate candidates, and set what is known of them."""
        space = Space(self.space)
        check_parameters(self.estimator, space, flatten)
        limit = whole("max_evals", self.max_evals, 1)
        self.trials_ = trials = self._start()
        raised: list[Exception] = []

        def remember(event: Event, history: View) -> None:
            if isinstance(event, Told) and isinstance(event.outcome.exception, Exception):
                raised.append(event.outcome.exception)

        with trials.studied(space, resolve(self.algo), seed_of(seeded(self.random_state))) as study:
            tune(
                objective,
                space,
                on=trials.platform(),
                max_trials=limit,
                stop=time_and_loss(trials),
                observers=[trials.observe, remember],
                errors="raise" if isinstance(self.error_score, str) else "record",
                deterministic=trials.lag is not None,
                progress=bar_on_stderr if self.verbose > 0 else False,
                study=study,
            )
        if study.best is None:
            alone = raised and not trials.asynchronous
            raise raised[0] if alone else NoCandidateScored(trials.explanation())
        ended = [trial for trial in trials.records.values() if _counts(trial)]
        _warn_of_failures(ended, self.error_score)
        candidates = [flatten(space.decode(trial.values)) for trial in ended]
        self.cv_results_ = table_of(candidates, ended, self.error_score)
        self._choose()

    def _start(self) -> Trials:
        """The trials of this fit.

        Raises:
            InvalidArgument: they hold trials of something else.
        """
        trials = Trials() if self.trials is None else self.trials
        if not isinstance(trials, Trials):
            raise InvalidArgument(
                f"trials must be Trials(), SparkTrials(...) or ThreadTrials(...), got {trials!r}"
            )
        if not self.warm_start:
            fresh = copy.deepcopy(trials)
            fresh.delete_all()
            if isinstance(trials, SparkTrials) and isinstance(fresh, SparkTrials):
                fresh.resource_profile = trials.resource_profile
            return fresh
        trials = getattr(self, "trials_", trials)
        for trial in trials.records.values():
            if trial.status is Status.OK and ROW not in (trial.result or {}):
                raise InvalidArgument(
                    f"trials holds trial {trial.id}, which is not a candidate of a "
                    "HyperoptSearchCV; start with new trials"
                )
        return trials

    def _choose(self) -> None:
        names = metrics_of(self.cv_results_)
        self.multimetric_ = names != ["score"]
        if self.multimetric_ and not self.refit:
            return
        metric = self.refit if self.multimetric_ else "score"
        if callable(self.refit):
            self.best_index_ = self.refit(self.cv_results_)
        else:
            self.best_index_ = int(self.cv_results_[f"rank_test_{metric}"].argmin())
            self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _refit(self, X: Any, y: Any, params: Mapping[str, Any]) -> None:
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        started = time.time()
        self.best_estimator_ = best.fit(X, **params) if y is None else best.fit(X, y, **params)
        self.refit_time_ = time.time() - started
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def _counts(trial: Trial) -> bool:
    """Whether a trial is a row of `cv_results_`: it ended, and not only because the run did."""
    return not trial.status.pending and trial.status is not Status.CANCELLED


def _warn_of_failures(trials: Sequence[Trial], error_score: Any) -> None:
    failed = [trial for trial in trials if trial.status is not Status.OK]
    if failed:
        first = failed[0]
        why = (
            f"{first.failure.type}: {first.failure.message}"
            if first.failure
            else first.status.value
        )
        warnings.warn(
            f"{len(failed)} of {len(trials)} candidates could not be scored (error_score="
            f"{error_score}); trial {first.id}: {why}",
            FitFailedWarning,
            stacklevel=4,
        )
