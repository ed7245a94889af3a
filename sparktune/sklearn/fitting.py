"""What searches do whose candidates are evaluated fold by fold; their options are those of
`SparkSearchCV`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn import clone
from sklearn.base import is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params

from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Parts, Platform
from sparktune.history import View
from sparktune.samplers.algorithms import resolve
from sparktune.schedulers import Folds
from sparktune.sklearn import choice, ensemble, failures, honest
from sparktune.sklearn.candidate import flattening, scorer_of
from sparktune.sklearn.checks import check_parameters, seeded
from sparktune.sklearn.corrected import no_score
from sparktune.sklearn.fold import Data, Evaluation, fitted
from sparktune.sklearn.growing import Growing
from sparktune.sklearn.nested import nested
from sparktune.sklearn.predictions import Entries, Keeping, entries
from sparktune.sklearn.racing import OneByOne
from sparktune.sklearn.resource import columns, compared, growing
from sparktune.sklearn.rows import folds_of, leaves, merging, metric_of, named, partial
from sparktune.sklearn.side_by_side import side_by_side
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


class FoldSearch(BaseSearchCV):  # type: ignore[misc]
    """A search whose folds are tasks. A subclass has the options, and says what is to do."""

    def __sklearn_tags__(self) -> Any:
        """Tags, for scikit-learn 1.6 and newer: as many targets as the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.estimator.__sklearn_tags__().target_tags.multi_output
        return tags

    def fit(self, X: Any, y: Any = None, *, test: Any = None, **params: Any) -> FoldSearch:
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

    def set_callbacks(self, *callbacks: Any) -> FoldSearch:
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

    # What subclasses say

    scheduler: Any = None  # for those that have no such option
    resource: str | None = None

    def _check_options(self) -> None:
        """Raises:
        InvalidArgument: an option has a value that it cannot have.
        """
        raise NotImplementedError

    def _plan(self) -> Plan:
        """What this search is to do."""
        raise NotImplementedError

    # The search

    def _study(self, space: Space) -> Study:
        """The study of this fit: that of the fit before under `warm_start`, or a new one."""
        before = getattr(self, "study_", None)
        if self.warm_start and isinstance(before, Study):
            return before
        scheduler = Folds(self.n_splits_) if self.racing and self.n_splits_ > 1 else self.scheduler
        sampler = resolve(self.sampler, "sampler")
        return Study(space, sampler, scheduler, seed=seeded(self.random_state))

    def _run(
        self, plan: Plan, objective: Evaluation | Growing, observe: Callable[..., None]
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

    def _search(
        self, plan: Plan, data: Data, scorer: Any, kept: Entries | None
    ) -> honest.Finished | None:
        """Evaluate candidates, and set `cv_results_`; None where no metric says what is best."""
        flatten = flattening(self.estimator)
        check_parameters(self.estimator, plan.space, flatten)
        numbers = [*range(self.n_splits_)]
        groups = [numbers] if self.unit == "candidate" else [[number] for number in numbers]
        objective: Any = Evaluation(
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
        if self.resource is not None:
            seed = seeded(self.random_state) or 0
            objective = growing(objective, self.scheduler, self.resource, plan.space, seed)
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
        candidates, out = compared(candidates, ended, out, self.resource)
        names = [*named(out[0]["test_scores"])]
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
        if not self.racing and self.resource is None:
            return self._format_results(candidates, self.n_splits_, out)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "One or more of the", UserWarning)
            more = partial(trials, metric) if self.racing else columns(trials, metric)
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


def _as_one(scorer: Any, error_score: Any) -> Any:
    """One scorer, also for several metrics."""
    if not isinstance(scorer, dict):
        return scorer
    return _MultimetricScorer(scorers=scorer, raise_exc=error_score == "raise")
