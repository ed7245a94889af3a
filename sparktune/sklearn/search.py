"""`SparkSearchCV`: scikit-learn's hyperparameter search, with folds as Spark tasks."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import clone
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params

from sparktune.arguments import positive, whole
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.executors.platforms import Parts, Platform, here_or_spark
from sparktune.history import View
from sparktune.limits import seed_of
from sparktune.samplers.algorithms import resolve
from sparktune.sklearn.candidate import Flatten, flattening, scorer_of
from sparktune.sklearn.fold import Data, Evaluation
from sparktune.sklearn.rows import folds_of, merging, metric_of, metrics_of
from sparktune.sklearn.spaces import check_grid, grid_points, space_of
from sparktune.space.space import Space
from sparktune.stopping import Never, Timeout
from sparktune.study import Study
from sparktune.trial import Event, Status, Told, Trial
from sparktune.tuning import tune


class NoCandidateScored(AllTrialsFailed, ValueError):
    """No candidate could be fitted and scored; a ValueError, as scikit-learn's own searches raise.

    The message holds the first failure's traceback.
    """


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search is to do: the arguments of `tune` that it decides.

    space       where candidates are from
    limit       candidates in all, those of `start` left out; None: no limit
    on          where folds are evaluated
    start       points {label: value} that come first
    """

    space: Space
    limit: int | None
    on: Platform
    start: Sequence[Mapping[str, Any]] = ()


class SparkSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Cross-validated search whose folds are Spark tasks, and in which earlier scores guide later
    candidates.

    It stands where `RandomizedSearchCV` or `GridSearchCV` stood, and after `fit` it is used like
    the best estimator.

        search = SparkSearchCV(SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=50, on=Spark(8))
        search.fit(X, y).predict(X)

    Args:
        estimator: any scikit-learn estimator, pipelines included.
        space: a dict {parameter: what it may be}, with names as `set_params` takes them ("clf__C"),
            or a list of such dicts. A parameter is a list of options, a frozen distribution of
            scipy, an `hp.*` node, a dimension of scikit-optimize or a distribution of Optuna. A
            dict under a name that is not a parameter is a group, whose entries count as the space's
            own, as in {"kind": hp.choice("kind", [{"C": ...}, {...}])}.
        n_iter: the number of candidates; under `warm_start` those of earlier fits included. None:
            10, or as many as `time_budget` allows.
        scoring: as in `GridSearchCV`. With several metrics, the one named by `refit` is maximised,
            or the first one if `refit` is a function or False.
        n_jobs: where `on` is None: how many folds run at once; None or -1: as many as there are
            slots.
        refit: whether to fit the best candidate on all data; the name of the metric that says what
            is best; or a function of `cv_results_` that returns the index of the best.
        cv: as in `GridSearchCV`. All candidates of a fit see the same splits, which are made once.
        verbose: 0: silent; above: a progress bar.
        pre_dispatch: taken so that programs keep working; there are never more folds under way than
            there are slots.
        random_state: an integer, a `numpy.random.RandomState` or a `numpy.random.Generator` that
            determines the candidates, together with their scores; None: random.
        error_score: the score of a fold that cannot be fitted or scored, and of every fold of a
            candidate whose process died or ran out of time; "raise": the first failure ends the
            search.
        return_train_score: whether `cv_results_` has scores on the training folds.
        param_distributions: `space`, by the name that `RandomizedSearchCV` has for it.
        param_grid: instead of a space: dict or list of dicts {parameter: options}, all of whose
            combinations are evaluated, as in `GridSearchCV`; `n_iter` does not count then.
        sampler: what chooses candidates: "tpe", "gp", "random", ..., or a sampler, as in `tune`.
        on: where folds are evaluated: `Spark(...)`, `Threads(...)`, `Serial()`; None: Spark, or in
            this process where that is a Spark task already. Workers need scikit-learn; the data is
            sent to each machine once.
        unit: "fold": each fold of a candidate is a task of its own; "candidate": all folds of a
            candidate are one task, for folds that take less than some hundredths of a second.
        time_budget: seconds for the search, the last fit left out; candidates that run then are
            dropped. None: no limit.
        journal: path of a file that keeps every candidate and score. The same search with the same
            path continues where the one before ended.
        warm_start: whether `fit` continues from the candidates of the fit before.
        deterministic: whether candidates depend on `random_state` alone and not on the timing; a
            slow candidate holds others up.

    Attributes:
        cv_results_: {column: array over candidates} as of `GridSearchCV`. Parameters that a
            candidate lacks are masked.
        best_index_, best_params_, best_score_: the best candidate: its row, its parameters, its
            mean test score. No best_score_ if `refit` is a function; nothing of this if it is False
            and there are several metrics.
        best_estimator_, refit_time_: the best candidate fitted on all data, and the seconds it
            took; only with `refit`.
        study_: the `Study`, whose trials are the candidates.
        scorer_, multimetric_, n_splits_: the scorer or {metric: scorer}, whether there are several
            metrics, and the number of splits.
    """

    def __init__(
        self,
        estimator: Any,
        space: Any = None,
        *,
        n_iter: int | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[Any], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        param_distributions: Any = None,
        param_grid: Any = None,
        sampler: Any = "tpe",
        on: Platform | None = None,
        unit: str = "fold",
        time_budget: float | None = None,
        journal: Any = None,
        warm_start: bool = False,
        deterministic: bool = False,
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
        self.n_iter = n_iter
        self.random_state = random_state
        self.param_distributions = param_distributions
        self.param_grid = param_grid
        self.sampler = sampler
        self.on = on
        self.unit = unit
        self.time_budget = time_budget
        self.journal = journal
        self.warm_start = warm_start
        self.deterministic = deterministic

    def __sklearn_tags__(self) -> Any:
        """Tags, for scikit-learn 1.6 and newer: as many targets as the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.estimator.__sklearn_tags__().target_tags.multi_output
        return tags

    def fit(self, X: Any, y: Any = None, **params: Any) -> SparkSearchCV:
        """Search, then fit the best candidate on all of X and y.

        Args:
            X: samples, (n_samples, ...).
            y: targets, (n_samples,) or (n_samples, n_outputs); None for unsupervised estimators.
            params: `groups` for the splitter, (n_samples,), and what the estimator's `fit` takes
                besides; arrays over samples are split.

        Raises:
            InvalidArgument: an argument of the search is wrong; nothing was evaluated.
            NoCandidateScored: no candidate has a score; the message says why the first has none.
            Exception: with `error_score="raise"`, the first failure.
        """
        self._validate_params()
        self._check_options()
        scorer = scorer_of(self.estimator, self.scoring, self.refit)
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        fit_params = dict(routed.estimator.fit)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        if not splits:
            raise InvalidArgument(f"cv={self.cv!r} makes no splits of these data")
        self.n_splits_ = len(splits)
        data = Data(X, y, splits, fit_params, dict(routed.scorer.score))
        self._search(data, scorer)
        self.scorer_ = scorer
        if self.refit:
            self._refit(X, y, fit_params)
        return self

    # What subclasses may decide otherwise

    def _check_options(self) -> None:
        """Raises:
        InvalidArgument: an option has a value that it cannot have.
        """
        given = [
            it for it in (self.space, self.param_distributions, self.param_grid) if it is not None
        ]
        if len(given) != 1:
            raise InvalidArgument(
                "give the search one space: space= (or param_distributions=), or param_grid= for "
                f"all combinations; got {len(given)} of them"
            )
        if self.unit not in ("fold", "candidate"):
            raise InvalidArgument(f'unit must be "fold" or "candidate", got {self.unit!r}')
        positive("time_budget", self.time_budget)

    def _plan(self) -> Plan:
        """What this search is to do."""
        on = here_or_spark(self.n_jobs) if self.on is None else self.on
        if self.param_grid is not None:
            check_grid(self.param_grid)
            return Plan(space_of(self.param_grid), 0, on, [*grid_points(self.param_grid)])
        limit = 10 if self.n_iter is None and self.time_budget is None else self.n_iter
        space = space_of(self.param_distributions if self.space is None else self.space)
        return Plan(space, None if limit is None else whole("n_iter", limit, 1), on)

    def _study(self, space: Space) -> Study:
        """The study of this fit: that of the fit before under `warm_start`, or a new one."""
        before = getattr(self, "study_", None)
        if self.warm_start and isinstance(before, Study):
            return before
        return Study(space, resolve(self.sampler, "sampler"), seed=seeded(self.random_state))

    def _run(
        self, plan: Plan, objective: Callable[..., Any], on: Platform, observe: Callable[..., None]
    ) -> Mapping[int, Trial]:
        """Evaluate candidates; return the records of the trials."""
        self.study_ = study = self._study(plan.space)
        try:
            tune(
                objective,
                study.space,
                on=on,
                max_trials=plan.limit,
                start=plan.start,
                stop=Never() if self.time_budget is None else Timeout(self.time_budget),
                journal=self.journal,
                observers=[observe],
                errors="raise" if isinstance(self.error_score, str) else "record",
                deterministic=self.deterministic,
                progress=self.verbose > 0,
                study=study,
            )
        except KeyboardInterrupt:
            if study.best is None:
                raise
            warnings.warn(
                f"the search was interrupted; {study.best} is the best of "
                f"{int(study.history.ok.sum())} candidates",
                stacklevel=4,
            )
        return study.records

    # The search

    def _search(self, data: Data, scorer: Any) -> None:
        """Evaluate candidates, and set what is known of them."""
        plan = self._plan()
        flatten = flattening(self.estimator)
        check_parameters(self.estimator, plan.space, flatten)
        numbers = [*range(self.n_splits_)]
        groups = [numbers] if self.unit == "candidate" else [[number] for number in numbers]
        objective = Evaluation(
            clone(self.estimator),
            _as_one(scorer, self.error_score),
            data,
            flatten,
            groups,
            self.error_score,
            self.return_train_score,
        )
        on = Parts(plan.on, len(groups), merging(self.refit))
        raised: list[BaseException] = []

        def observe(event: Event, history: View) -> None:
            if isinstance(event, Told) and event.outcome.exception is not None:
                raised.append(event.outcome.exception)

        records = self._run(plan, objective, on, observe)
        ended = [trial for trial in records.values() if _counts(trial)]
        if all(len(_failures(trial)) == self.n_splits_ or not trial.result for trial in ended):
            raise NoCandidateScored(_explanation(ended)) from next(iter(raised), None)
        _warn_of_failures(ended, self.n_splits_, self.error_score)
        candidates = [flatten(plan.space.decode(trial.values)) for trial in ended]
        self._tabulate(candidates, ended)

    def _tabulate(self, candidates: Sequence[dict[str, Any]], trials: Sequence[Trial]) -> None:
        out = folds_of(trials, self.n_splits_, self.error_score, train=self.return_train_score)
        self.cv_results_ = self._format_results(candidates, self.n_splits_, out)
        names = metrics_of(self.cv_results_)
        self.multimetric_ = names != ["score"]
        metric_of(self.refit, names)
        if self.multimetric_ and not self.refit:
            return
        metric = self.refit if self.multimetric_ else "score"
        self.best_index_ = self._select_best_index(self.refit, metric, self.cv_results_)
        if not callable(self.refit):
            self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _refit(self, X: Any, y: Any, params: Mapping[str, Any]) -> None:
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        started = time.time()
        self.best_estimator_ = best.fit(X, **params) if y is None else best.fit(X, y, **params)
        self.refit_time_ = time.time() - started
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def _as_one(scorer: Any, error_score: Any) -> Any:
    """One scorer, also for several metrics."""
    if not isinstance(scorer, dict):
        return scorer
    return _MultimetricScorer(scorers=scorer, raise_exc=error_score == "raise")


def check_parameters(estimator: Any, space: Space, flatten: Flatten) -> None:
    """Try points of the space on the estimator; rare options may be missed, and fail later."""
    for row in space.sample(np.random.default_rng(0), 32):
        point: Any = None
        with contextlib.suppress(Exception):  # an expression that some values break, not a name
            point = space.decode(space.values(row))
        if point is None:
            continue
        try:
            clone(estimator).set_params(**clone(flatten(point), safe=False))
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidArgument(f"the space does not fit the estimator: {error}") from error


def seeded(random_state: Any) -> int | None:
    if random_state is None:
        return None
    try:
        return seed_of(None, random_state)
    except InvalidArgument:
        raise InvalidArgument(
            "random_state must be an integer >= 0, a numpy Generator, a RandomState or None, "
            f"got {random_state!r}"
        ) from None


def _counts(trial: Trial) -> bool:
    """Whether a trial is a row of `cv_results_`: it ended, and not only because the run did."""
    return not trial.status.pending and trial.status is not Status.CANCELLED


def _failures(trial: Trial) -> Sequence[str]:
    """The tracebacks of the fits of a candidate that failed."""
    return tuple((trial.result or {}).get("failures", ()))


def _explanation(trials: Sequence[Trial]) -> str:
    """Why no candidate has a score."""
    if not trials:
        return "no candidate was evaluated: the search was over before the first one ended"
    first = trials[0]
    why = next(iter(_failures(first)), str(first.failure or first.status.value))
    return (
        f"none of the {len(trials)} candidates could be fitted and scored. The first one "
        f"({dict(first.values)}):\n{why}"
    )


def _warn_of_failures(trials: Sequence[Trial], n_splits: int, error_score: Any) -> None:
    lost = [trial for trial in trials if not trial.result]
    failures = [text for trial in trials for text in _failures(trial)]
    failures += [str(trial.failure or trial.status.value) for trial in lost]
    if failures:
        n = len(failures) + (n_splits - 1) * len(lost)
        warnings.warn(
            f"{n} fits failed out of a total of {n_splits * len(trials)}. Their score is set to "
            f"{error_score}. The first failure:\n{failures[0]}",
            FitFailedWarning,
            stacklevel=4,
        )
