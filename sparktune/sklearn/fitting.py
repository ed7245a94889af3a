"""What searches do whose candidates are evaluated fold by fold; their options are those of
`SparkSearchCV`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sklearn import clone
from sklearn.base import is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params, _num_samples, check_is_fitted

from sparktune.errors import InvalidArgument
from sparktune.events import Event, Told
from sparktune.history import View
from sparktune.samplers.algorithms import resolve
from sparktune.sklearn import failures, honest
from sparktune.sklearn.beginning import Beginning
from sparktune.sklearn.checks import check_parameters, seeded
from sparktune.sklearn.choosing import Choosing
from sparktune.sklearn.export import program_of
from sparktune.sklearn.flattening import Flatten, flattening
from sparktune.sklearn.fold import Data, Evaluation
from sparktune.sklearn.growing import Growing
from sparktune.sklearn.nested import nested
from sparktune.sklearn.predictions import Entries, entries
from sparktune.sklearn.repeats import Repeats, first_repeat
from sparktune.sklearn.resource import columns, compared, growing
from sparktune.sklearn.rows import complete, folds_of, leaves, metric_of, named, partial
from sparktune.sklearn.running import Plan, groups_of, run, scheduler_of
from sparktune.sklearn.same_data import fingerprint
from sparktune.sklearn.scorers import scorer_of
from sparktune.study import Study
from sparktune.trial import Trial


class FoldSearch(Choosing):
    """A search whose folds are tasks. A subclass has the options and defines the plan."""

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
        self.n_splits_ = n = len(splits)
        if self.repeats == "adaptive":
            n = first_repeat(splits, _num_samples(X))
        mark = fingerprint(X, y)
        data = Data(X, y, splits, routed.estimator.fit, routed.scorer.score, mark)
        kept = None
        if self.keep_predictions:
            kept = entries(self.estimator, y, splits[:n], for_splitter.get("groups"))
        self.scorer_ = scorer
        plan = self._plan()
        found = self._search(plan, data, scorer, n, kept)
        if found is not None:
            self._choose(found, plan.on, data)
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

    def export(self) -> str:
        """The program that makes the best estimator, not fitted, as `model`.

        Raises:
            NotFittedError: `fit` has not ended, or `refit` is False.
            InvalidArgument: a parameter of the estimator has no text that is a program.
        """
        check_is_fitted(self, "best_estimator_")
        best = self.best_estimator_
        return best.export() if hasattr(best, "export") else program_of(best)

    # What subclasses say

    def _check_options(self) -> None:
        """Raises:
        InvalidArgument: an option has a value that it cannot have.
        """
        raise NotImplementedError

    def _plan(self) -> Plan:
        """The plan of this search."""
        raise NotImplementedError

    # The search

    def _study(self, plan: Plan) -> Study:
        """The study of this fit: that of the fit before under `warm_start`, or a new one."""
        before = getattr(self, "study_", None)
        if self.warm_start and isinstance(before, Study):
            return before
        sampler = resolve(self.sampler, "sampler")
        if plan.first:
            sampler = Beginning(plan.first, sampler)
        scheduler = scheduler_of(self.racing, self.n_splits_) or self.scheduler
        return Study(plan.space, sampler, scheduler, seed=seeded(self.random_state))

    def _run(
        self, plan: Plan, objective: Evaluation | Growing, observe: Callable[..., None]
    ) -> Mapping[int, Trial]:
        """Evaluate candidates; return the records of the trials."""
        self.study_ = self._study(plan)
        run(self, plan, objective, [observe])
        return self.study_.records

    def _evaluation(
        self,
        plan: Plan,
        data: Data,
        scorer: Any,
        n: int,
        kept: Entries | None,
        flatten: Flatten,
    ) -> Any:
        """The objective of the search."""
        unit = "fold" if self.unit == "auto" and self.resource is not None else self.unit
        evaluation = Evaluation(
            clone(self.estimator),
            _as_one(scorer, self.error_score),
            data,
            flatten,
            groups_of(unit, n),
            self.error_score,
            self.return_train_score,
            () if kept is None else kept.positions,
            ("predict_proba",) if self.ensemble and is_classifier(self.estimator) else (),
        )
        if self.resource is None:
            return evaluation
        seed = seeded(self.random_state) or 0
        return growing(evaluation, self.scheduler, self.resource, plan.space, seed)

    def _search(
        self, plan: Plan, data: Data, scorer: Any, n: int, kept: Entries | None
    ) -> honest.Finished | None:
        """Evaluate candidates on the first n splits, and set `cv_results_`; None where no metric
        says what is best.
        """
        began = time.monotonic()
        flatten = flattening(self.estimator)
        check_parameters(self.estimator, plan.space, flatten)
        objective = self._evaluation(plan, data, scorer, n, kept, flatten)
        raised: list[BaseException] = []

        def observe(event: Event, history: View) -> None:
            if isinstance(event, Told) and event.outcome.exception is not None:
                raised.append(event.outcome.exception)

        records = self._run(plan, objective, observe)
        ended = leaves([trial for trial in records.values() if failures.counts(trial)])
        if all(map(failures.is_hopeless, ended)):
            cause = next(iter(raised), None)
            raise failures.NoCandidateScored(failures.explanation(ended)) from cause
        failures.check_folds(ended, n)
        failures.warn_of_failures(ended, n, self.error_score)
        points = [plan.space.decode(trial.values) for trial in ended]
        told = folds_of(ended, n, self.error_score, train=self.return_train_score)
        candidates, told = compared([*map(flatten, points)], ended, told, self.resource)
        names = [*named(told[0][0]["test_scores"])]
        self.multimetric_ = names != ["score"]
        metric = metric_of(self.refit, names)
        if self.repeats == "adaptive":
            more = self._time_left(began)
            repeats = Repeats(objective, plan.on, n, self.n_splits_, metric, self.journal, more)
            told, self.n_splits_ = repeats.of(ended, points, told)
        out = [fold for folds in told for fold in complete(folds, self.n_splits_)]
        self.cv_results_ = table = self._table(candidates, ended, out, metric)
        if self.multimetric_ and not self.refit:
            return None
        mine = scorer[metric] if isinstance(scorer, dict) else scorer
        return honest.Finished(self.study_, ended, table, metric, mine, kept, n)

    def _time_left(self, began: float) -> Callable[[], bool]:
        """Whether the time limit allows further candidates."""
        budget = float("inf") if self.time_budget is None else self.time_budget
        return lambda: time.monotonic() - began < budget

    def _table(
        self, candidates: Sequence[Any], trials: Sequence[Trial], out: Sequence[Any], metric: str
    ) -> Any:
        """`cv_results_`."""
        if not self.racing and self.repeats is None and self.resource is None:
            return self._format_results(candidates, self.n_splits_, out)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "One or more of the", UserWarning)
            more = partial(out, len(trials), metric)
            if self.resource is not None:
                more = columns(trials, metric)
            return self._format_results(candidates, self.n_splits_, out, more)


def _as_one(scorer: Any, error_score: Any) -> Any:
    """One scorer for one or several metrics."""
    if not isinstance(scorer, dict):
        return scorer
    return _MultimetricScorer(scorers=scorer, raise_exc=error_score == "raise")
