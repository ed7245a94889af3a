"""`SparkSearchCV`: scikit-learn's hyperparameter search, with folds as Spark tasks."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import clone
from sklearn.base import is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params

from sparktune.arguments import positive, whole
from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Parts, Platform, here_or_spark
from sparktune.history import View
from sparktune.samplers.algorithms import resolve
from sparktune.schedulers import Folds
from sparktune.sklearn import choice, ensemble, failures, honest
from sparktune.sklearn.candidate import flattening, scorer_of
from sparktune.sklearn.checks import check_parameters, seeded
from sparktune.sklearn.corrected import no_score
from sparktune.sklearn.fold import Data, Evaluation, fitted
from sparktune.sklearn.nested import nested
from sparktune.sklearn.predictions import Entries, Keeping, entries
from sparktune.sklearn.racing import OneByOne
from sparktune.sklearn.rows import folds_of, leaves, merging, metric_of, partial
from sparktune.sklearn.side_by_side import side_by_side
from sparktune.sklearn.spaces import check_grid, grid_points, space_of
from sparktune.sklearn.weighted import weighted
from sparktune.space.space import Space
from sparktune.stopping import Never, Timeout
from sparktune.study import Study
from sparktune.trial import Event, Told, Trial
from sparktune.tuning import tune


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
            own, as in {"kind": hp.choice("kind", [{"C": ...}, {...}])}. None: the estimator brings
            its own, as `any_classifier()` does.
        n_iter: the number of candidates; under `warm_start` those of earlier fits included. None:
            10, or as many as `time_budget` allows.
        scoring: as in `GridSearchCV`. With several metrics, the one named by `refit` is maximised,
            or the first one if `refit` is a function or False.
        n_jobs: where `on` is None: how many folds run at once; None or -1: as many as there are
            slots.
        refit: whether to fit the best candidate on all data; the name of the metric that says what
            is best; a function of `cv_results_` that returns the index of the best; or "ensemble":
            `best_estimator_` is `ensemble_`.
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
        racing: whether a candidate that is clearly worse than the best gets no more folds after its
            second, see `sparktune.schedulers.Folds`. Its row keeps the folds it has, and its mean
            is NaN: it is never the best. `cv_results_` has two more columns then, `n_folds` and
            `partial_test_<metric>`, the mean of these folds.
        time_budget: seconds for the search, the last fit left out; candidates that run then are
            dropped. None: no limit.
        journal: path of a file that keeps every candidate and score. The same search with the same
            path continues where the one before ended. Its files are unpickled then: continue
            journals that you trust.
        warm_start: whether `fit` continues from the candidates of the fit before.
        select: "best": the highest mean score; "1se": of the candidates that cannot be told from
            the best (lower by at most one standard error, fold by fold), the one that is fitted in
            the shortest time. For rules of your own, see `refit`.
        ensemble: how many draws an ensemble of candidates is made of (Caruana 2004): 0: there is
            none. Its members, fewer than the draws, are fitted on all data where folds are.
        keep_predictions: whether workers send back what the models of a fold predict for its test
            samples, at most 10,000 in all and of the best 50 candidates; `corrected_score_` is
            better with them, and an ensemble needs them.
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
        corrected_score_, corrected_interval_, corrected_by_: what the best candidate is expected to
            reach on new data: `best_score_` is the best of many, and so too good. The score, the 95
            % interval, and how they were made: by BBC-CV from the predictions that were kept, by
            Tibshirani's correction where there are none. NaN where `refit` or `select` chooses by
            more than the score. They correct for the choice among candidates, not for the sampler's
            having looked for them with the same scores.
        leaderboard_: the candidates, best first, a dict each: `rank`, `candidate` (its row),
            `score`, `std`, `like_the_best`, `fit_time`, `weight` (in the ensemble), `params`.
        remark_: in words, how many candidates cannot be told from the best; "" if none.
        ensemble_: with `ensemble`: a fitted `VotingClassifier` (of probabilities) or
            `VotingRegressor`; `ensemble_weights_` are {row: weight}.
        test_score_: with `fit(test=...)`: the score of `best_estimator_` there.
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
        racing: bool = False,
        time_budget: float | None = None,
        journal: Any = None,
        warm_start: bool = False,
        select: str = "best",
        ensemble: int = 0,
        keep_predictions: bool = True,
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
        self.racing = racing
        self.time_budget = time_budget
        self.journal = journal
        self.warm_start = warm_start
        self.select = select
        self.ensemble = ensemble
        self.keep_predictions = keep_predictions
        self.deterministic = deterministic

    def __sklearn_tags__(self) -> Any:
        """Tags, for scikit-learn 1.6 and newer: as many targets as the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.estimator.__sklearn_tags__().target_tags.multi_output
        return tags

    def fit(self, X: Any, y: Any = None, *, test: Any = None, **params: Any) -> SparkSearchCV:
        """Search, then fit the best candidate on all of X and y.

        Args:
            X: samples, (n_samples, ...).
            y: targets, (n_samples,) or (n_samples, n_outputs); None for unsupervised estimators.
            test: (X, y) of samples for `test_score_`, which nothing else makes use of.
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
        for_splitter = routed.splitter.split
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **for_splitter))
        if not splits:
            raise InvalidArgument(f"cv={self.cv!r} makes no splits of these data")
        self.n_splits_ = len(splits)
        data = Data(X, y, splits, routed.estimator.fit, routed.scorer.score)
        kept = None
        if self.keep_predictions:
            kept = entries(self.estimator, y, splits, for_splitter.get("groups"))
        self.scorer_ = scorer
        plan = self._plan()
        self._choose(self._search(plan, data, scorer, kept), plan.on, data)
        if test is not None and self.refit:
            self.test_score_ = self.score(*test)
        if self.verbose > 0:
            print(self._summary())
        return self

    def set_callbacks(self, *callbacks: Any) -> SparkSearchCV:
        """Refuses callbacks of scikit-learn 1.9, which folds on other machines cannot call.

        Raises:
            InvalidArgument: always.
        """
        raise InvalidArgument(
            f"{type(self).__name__} cannot call scikit-learn's callbacks, as its folds run on "
            "other machines; verbose=1 shows a progress bar"
        )

    def nested(self, X: Any, y: Any = None, *, cv: Any = None, **params: Any) -> dict[str, Any]:
        """Nested cross-validation: what this search, as a whole, is worth on new data. It costs as
        many searches as there are outer folds, which run side by side.

        Args:
            X, y, params: as for `fit`.
            cv: makes the outer folds, as in `GridSearchCV`.

        Returns:
            For each outer fold: `test_score`, `best_score` and `corrected_score` (arrays), and
            `params`, what was chosen there.
        """
        return nested(self, self._plan().on, X, y, cv, params)

    # What subclasses may decide otherwise

    def _check_options(self) -> None:
        """Raises:
        InvalidArgument: an option has a value that it cannot have.
        """
        given = [
            it for it in (self.space, self.param_distributions, self.param_grid) if it is not None
        ]
        brings_one = not given and hasattr(self.estimator, "search_space")
        if len(given) != 1 and not brings_one:
            raise InvalidArgument(
                "give the search one space: space= (or param_distributions=), or param_grid= for "
                f"all combinations; got {len(given)} of them"
            )
        if self.unit not in ("fold", "candidate"):
            raise InvalidArgument(f'unit must be "fold" or "candidate", got {self.unit!r}')
        if self.racing and (self.unit != "fold" or self.deterministic):
            raise InvalidArgument('racing=True needs unit="fold" and deterministic=False')
        if self.select not in ("best", "1se"):
            raise InvalidArgument(f'select must be "best" or "1se", got {self.select!r}')
        if self.select != "best" and callable(self.refit):
            raise InvalidArgument("refit is a function that selects the best; leave out select=")
        whole("ensemble", self.ensemble, 0)
        if self.refit == "ensemble" and not self.ensemble:
            raise InvalidArgument('refit="ensemble" needs ensemble=, the number of draws, say 20')
        if self.ensemble and not self.keep_predictions:
            raise InvalidArgument("ensemble= needs keep_predictions=True")
        positive("time_budget", self.time_budget)

    def _plan(self) -> Plan:
        """What this search is to do."""
        on = here_or_spark(self.n_jobs) if self.on is None else self.on
        if self.param_grid is not None:
            check_grid(self.param_grid)
            return Plan(space_of(self.param_grid), 0, on, [*grid_points(self.param_grid)])
        limit = 10 if self.n_iter is None and self.time_budget is None else self.n_iter
        given, start = self.param_distributions if self.space is None else self.space, ()
        if given is None:
            given, start = self.estimator.search_space()
        most = None if limit is None else max(whole("n_iter", limit, 1) - len(start), 0)
        return Plan(space_of(given), most, on, start)

    def _study(self, space: Space) -> Study:
        """The study of this fit: that of the fit before under `warm_start`, or a new one."""
        before = getattr(self, "study_", None)
        if self.warm_start and isinstance(before, Study):
            return before
        scheduler = Folds(self.n_splits_) if self.racing and self.n_splits_ > 1 else None
        sampler = resolve(self.sampler, "sampler")
        return Study(space, sampler, scheduler, seed=seeded(self.random_state))

    def _run(
        self, plan: Plan, objective: Evaluation, observe: Callable[..., None]
    ) -> Mapping[int, Trial]:
        """Evaluate candidates; return the records of the trials."""
        self.study_ = study = self._study(plan.space)
        merge = merging(self.refit)
        on: Platform = Parts(plan.on, len(objective.groups), merge)
        if isinstance(study.scheduler, Folds):
            on = OneByOne(plan.on, merge, study)
        try:
            tune(
                objective,
                study.space,
                on=on,
                max_trials=plan.limit,
                start=plan.start,
                stop=Never() if self.time_budget is None else Timeout(self.time_budget),
                journal=self.journal,
                observers=[observe, Keeping(study)],
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

    def _search(
        self, plan: Plan, data: Data, scorer: Any, kept: Entries | None
    ) -> honest.Finished | None:
        """Evaluate candidates, and set `cv_results_`; None where no metric says what is best."""
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
            () if kept is None else kept.positions,
            ("predict_proba",) if self.ensemble and is_classifier(self.estimator) else (),
        )
        raised: list[BaseException] = []

        def observe(event: Event, history: View) -> None:
            if isinstance(event, Told) and event.outcome.exception is not None:
                raised.append(event.outcome.exception)

        records = self._run(plan, objective, observe)
        ended = leaves([trial for trial in records.values() if failures.counts(trial)])
        if all(map(failures.is_hopeless, ended)):
            cause = next(iter(raised), None)
            raise failures.NoCandidateScored(failures.explanation(ended)) from cause
        failures.warn_of_failures(ended, self.n_splits_, self.error_score)
        candidates = [flatten(plan.space.decode(trial.values)) for trial in ended]
        out = folds_of(ended, self.n_splits_, self.error_score, train=self.return_train_score)
        names = [*_named(out[0]["test_scores"])]
        self.multimetric_ = names != ["score"]
        metric = metric_of(self.refit, names)
        self.cv_results_ = table = self._table(candidates, ended, out, metric)
        if self.multimetric_ and not self.refit:
            return None
        mine = scorer[metric] if isinstance(scorer, dict) else scorer
        return honest.Finished(self.study_, ended, table, metric, mine, kept)

    def _table(
        self, candidates: Sequence[Any], trials: Sequence[Trial], out: Sequence[Any], metric: str
    ) -> Any:
        """`cv_results_`."""
        if not self.racing:
            return self._format_results(candidates, self.n_splits_, out)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "One or more of the", UserWarning)
            more = partial(trials, metric)
            return self._format_results(candidates, self.n_splits_, out, more)

    def _choose(self, found: honest.Finished | None, on: Platform, data: Data) -> None:
        """Set what is best, and fit it."""
        if found is None:
            return
        table, metric = found.table, found.metric
        best = int(self._select_best_index(self.refit, metric, table))
        self.remark_, weights = "", dict[int, float]()
        if callable(self.refit):
            correct = no_score("refit chooses by more than the score")
        else:
            like = choice.alike(found.folds, best)
            self.remark_ = choice.remark(like, len(found.trials))
            correct = honest.correction(found, best)
            if self.select == "1se":
                best = choice.one_standard_error(table, metric, best)
                correct = no_score("select chooses by more than the score")
            self.best_score_ = table[f"mean_test_{metric}"][best]
        self.best_index_, self.best_params_ = best, table["params"][best]
        self.corrected_score_, self.corrected_interval_ = correct.score, correct.interval
        self.corrected_by_ = correct.source
        if self.ensemble:
            weights = self._ensemble(found, on, data)
        self.leaderboard_ = choice.leaderboard(table, metric, weights)
        if self.refit:
            self._refit(data)

    def _ensemble(self, found: honest.Finished, on: Platform, data: Data) -> dict[int, float]:
        """Set `ensemble_`, whose members are fitted side by side; return its weights."""
        kept = found.entries
        members = {} if kept is None else ensemble.averaged(found.candidates(), kept)
        ensemble.check_members(members, kept)
        assert kept is not None
        score, _ = weighted(found.scorer, kept)
        weights = ensemble.greedy(members, self.ensemble, score, kept)
        params = [found.table["params"][row] for row in weights]
        fit = fitted(clone(self.estimator), params, data)
        models = side_by_side(on, fit, range(len(params)), "member of the ensemble")
        self.ensemble_weights_ = weights
        self.ensemble_ = ensemble.voting(models, [*weights.values()], kept.classes)
        return weights

    def _refit(self, data: Data) -> None:
        started = time.time()
        if self.refit == "ensemble":
            best = self.ensemble_
        else:
            best = fitted(self.estimator, [self.best_params_], data)(0)
        self.best_estimator_ = best
        self.refit_time_ = time.time() - started
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_

    def _summary(self) -> str:
        """One line about the best, for people."""
        if not hasattr(self, "best_score_"):
            return f"{len(self.cv_results_['params'])} candidates"
        low, high = self.corrected_interval_
        text = (
            f"best score {self.best_score_:.4g}, corrected for the choice "
            f"{self.corrected_score_:.4g} (95 %: {low:.4g} to {high:.4g})"
        )
        if hasattr(self, "test_score_"):
            text += f", on the test samples {self.test_score_:.4g}"
        return "; ".join(filter(None, [text, self.remark_]))


def _named(scores: Any) -> Mapping[str, float]:
    return scores if isinstance(scores, Mapping) else {"score": scores}


def _as_one(scorer: Any, error_score: Any) -> Any:
    """One scorer, also for several metrics."""
    if not isinstance(scorer, dict):
        return scorer
    return _MultimetricScorer(scorers=scorer, raise_exc=error_score == "raise")
