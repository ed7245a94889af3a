"""`BayesSearchCV`: cross-validated hyperparameter search, as in scikit-optimize."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from sparktune.arguments import whole
from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Parts, Platform, Serial, Threads
from sparktune.sklearn import SparkSearchCV
from sparktune.sklearn.fold import Evaluation
from sparktune.sklearn.growing import Growing
from sparktune.sklearn.rows import merging, metrics_of
from sparktune.sklearn.running import Plan, mark_of
from sparktune.sklearn.same_data import check_data
from sparktune.sklearn.spaces import space_of
from sparktune.skopt.optimizer.base import Follower
from sparktune.skopt.optimizer.optimizer import Optimizer
from sparktune.skopt.space import Dimension, Space, check_dimension
from sparktune.skopt.space.dimension import generator
from sparktune.skopt.utils import check_callback
from sparktune.study import Study
from sparktune.trial import Trial
from sparktune.tuning import tune

__all__ = ["BayesSearchCV"]

_BRANCH = "space"
_INITIAL = 10


class BayesSearchCV(SparkSearchCV):
    """Cross-validated hyperparameter search guided by a model of the scores.

        search = BayesSearchCV(SVC(), {"C": (1e-3, 1e3, "log-uniform")}, n_iter=30, random_state=0)
        search.fit(X, y).predict(X)

    Args:
        estimator: any scikit-learn estimator, pipelines included.
        search_spaces: a space {parameter: dimension}, with dimensions as for `Space`; or a list of
            spaces and of pairs (space, number of candidates), which are searched one after another.
        optimizer_kwargs: arguments for `Optimizer`, such as {"base_estimator": "RF"}.
        n_iter: number of candidates for each space.
        scoring, cv, refit, error_score, return_train_score: as in `GridSearchCV`. With several
            metrics `refit` names the metric to maximise.
        fit_params: ignored; pass them to `fit`.
        n_jobs: number of folds evaluated at once, on threads of this process; -1: one per core.
        n_points: number of candidates evaluated at once.
        iid: ignored.
        verbose: above 0: show a progress bar.
        pre_dispatch: ignored.
        random_state: None, a seed or a generator. Together with the scores it determines the
            candidates.
        on: where folds are evaluated, such as `Spark(parallelism=8)`; None: in this process.
        journal: path of a file that records every candidate, so that the same search with the same
            path continues. With several spaces, the path of space i > 0 ends with ".i".

    Attributes:
        optimizer_results_: one result per space, as the minimizers return it.
        optimizers_: one `Optimizer` per space.
        cv_results_, best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_:
            as in `GridSearchCV`. With train scores, `cv_results_` has their ranks, too.
        study_: the `Study` of the last space.
        total_iterations: number of candidates in all.

    Raises:
        ValueError: a space is empty, or a dimension is invalid.
        TypeError: search_spaces is neither a dict nor a list of spaces.
    """

    _required_parameters = ("estimator", "search_spaces")  # for scikit-learn up to 1.5

    def __init__(
        self,
        estimator: Any,
        search_spaces: Any,
        optimizer_kwargs: dict[str, Any] | None = None,
        n_iter: int = 50,
        scoring: Any = None,
        fit_params: Any = None,
        n_jobs: int | None = 1,
        n_points: int = 1,
        iid: Any = "deprecated",
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = "raise",
        return_train_score: bool = False,
        *,
        on: Platform | None = None,
        journal: str | os.PathLike[str] | None = None,
    ) -> None:
        self.search_spaces = search_spaces
        self.optimizer_kwargs = optimizer_kwargs
        self.fit_params = fit_params
        self.n_points = n_points
        self.iid = iid
        super().__init__(
            estimator,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
            on=on,
            journal=journal,
            keep_predictions=False,
        )
        if hasattr(estimator, "fit"):  # scikit-learn's own tests pass objects without fit
            self._spaces()

    def fit(
        self, X: Any, y: Any = None, *, groups: Any = None, callback: Any = None, **fit_params: Any
    ) -> BayesSearchCV:
        """Search, then fit the best candidate on all of X and y.

        Args:
            X: samples, (n_samples, ...).
            y: targets, (n_samples,) or (n_samples, n_outputs).
            groups: group labels for the splitter, (n_samples,).
            callback: a function, or a list of functions, called with the result of a space after
                each candidate. If one returns True, the search of that space ends.
            fit_params: arguments for the estimator's `fit`. Arrays with one entry per sample are
                split like X.
        """
        self._callbacks = check_callback(callback)
        try:
            given = fit_params if groups is None else {**fit_params, "groups": groups}
            super().fit(X, y, **given)
        finally:
            del self._callbacks
        return self

    @property
    def total_iterations(self) -> int:
        """The number of candidates in all."""
        return sum(limit for _, limit in self._spaces())

    def _check_options(self) -> None:
        self._spaces()
        whole("n_points", self.n_points, 1)
        if callable(self.refit):
            raise InvalidArgument("BayesSearchCV doesn't support a callable refit")

    def _spaces(self) -> list[tuple[dict[str, Dimension], int]]:
        """Return each space, sorted by parameter name, with its number of candidates."""
        given = self.search_spaces
        listed = [given] if isinstance(given, Mapping) else given
        if not isinstance(listed, (list, tuple)):
            raise TypeError(f"search_spaces must be a dict or a list, got {given!r}")
        if not listed:
            raise InvalidArgument(
                "search_spaces is empty; give at least one {parameter: dimension}"
            )
        return [self._of(each) for each in listed]

    def _of(self, given: Any) -> tuple[dict[str, Dimension], int]:
        space, limit = (
            given if isinstance(given, tuple) and len(given) == 2 else (given, self.n_iter)
        )
        if not isinstance(space, Mapping):
            raise TypeError(
                "search_spaces must hold dicts {parameter: dimension}, or pairs of such a dict and "
                f"a number of candidates; got {given!r}"
            )
        if not space:
            raise InvalidArgument("a space of search_spaces is empty; give {parameter: dimension}")
        dimensions = {name: deepcopy(check_dimension(space[name])) for name in sorted(space)}
        for name, dimension in dimensions.items():
            dimension.name = name
        return dimensions, whole("the number of candidates", limit, 1)

    # Overrides of the methods of SparkSearchCV

    def _plan(self) -> Plan:
        branches = [space for space, _ in self._spaces()]
        on = self._here() if self.on is None else self.on
        return Plan(space_of(branches if len(branches) > 1 else branches[0]), None, on)

    def _here(self) -> Platform:
        cores = os.cpu_count() or 1
        n = 1 if self.n_jobs is None else self.n_jobs if self.n_jobs > 0 else cores
        return Serial() if n == 1 and self.n_points == 1 else Threads(max(n, self.n_points))

    def _run(
        self, plan: Plan, objective: Evaluation | Growing, observe: Callable[..., None]
    ) -> Mapping[int, Trial]:
        on = Parts(plan.on, len(objective.groups), merging(self.refit))
        rng = generator(self.random_state)
        self.optimizers_: list[Optimizer] = []
        self.optimizer_results_: list[Any] = []
        found: dict[int, Trial] = {}
        for i, (dimensions, limit) in enumerate(self._spaces()):
            optimizer = self._optimizer(dimensions, limit, rng)
            follower = Follower(optimizer, self._callbacks)
            self.study_ = optimizer.study
            journal = f"{self.journal}.{i}" if self.journal and i else self.journal
            check_data(mark_of(objective), (), journal)
            tune(
                objective,
                optimizer.study.space,
                study=optimizer.study,
                on=on,
                max_trials=limit,
                stop=follower,
                journal=journal,
                observers=[observe, follower],
                errors="raise" if isinstance(self.error_score, str) else "record",
                deterministic=self.on is None,
                progress=self.verbose > 0,
            )
            if follower.error is not None:
                raise follower.error
            self.optimizers_.append(optimizer)
            if optimizer.Xi:
                self.optimizer_results_.append(optimizer.get_result())
            for trial in optimizer.study.records.values():
                found[len(found)] = replace(
                    trial, id=len(found), values=self._values(plan, i, trial)
                )
        return found

    def _optimizer(self, dimensions: dict[str, Dimension], limit: int, rng: Any) -> Optimizer:
        options: dict[str, Any] = {"n_initial_points": min(_INITIAL, max(limit // 2, 1))}
        options |= self.optimizer_kwargs or {}
        options.setdefault("random_state", rng.randint(2**31 - 1))
        optimizer = Optimizer(Space(list(dimensions.values())), **options)
        optimizer.study = Study(
            optimizer.bridge.named, optimizer.sampler, seed=optimizer.study.seed
        )
        return optimizer

    def _values(self, plan: Plan, i: int, trial: Trial) -> dict[str, Any]:
        """Return the values of a trial of space i under the labels of the combined space."""
        if len(self._spaces()) == 1:
            return dict(trial.values)
        known = set(plan.space.labels)
        return {_BRANCH: i} | {
            label if label in known else f"{label} [{i}]": value
            for label, value in trial.values.items()
        }

    def _table(
        self, candidates: Sequence[Any], trials: Sequence[Trial], out: Sequence[Any], metric: str
    ) -> Any:
        table = super()._table(candidates, trials, out, metric)
        if self.return_train_score:
            for name in metrics_of(table):
                scores = np.nan_to_num(table[f"mean_train_{name}"], nan=-np.inf)
                ranks = [1 + int((scores > score).sum()) for score in scores]
                table[f"rank_train_{name}"] = np.array(ranks, dtype=np.int32)
        return table
