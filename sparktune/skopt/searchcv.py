"""`BayesSearchCV`: cross-validated search, as scikit-optimize has it."""

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
from sparktune.sklearn.running import Plan
from sparktune.sklearn.spaces import space_of
from sparktune.skopt.optimizer.base import Following
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
    """Cross-validated search that is guided by a model of the scores.

        search = BayesSearchCV(SVC(), {"C": (1e-3, 1e3, "log-uniform")}, n_iter=30, random_state=0)
        search.fit(X, y).predict(X)

    Args:
        estimator: any scikit-learn estimator, pipelines included.
        search_spaces: {parameter: dimension, as for `Space`}; or a list of such, and of
            (such, its number of candidates), which are searched one after the other.
        optimizer_kwargs: for `Optimizer`, such as {"base_estimator": "RF"}.
        n_iter: candidates of each space.
        scoring, cv, refit, error_score, return_train_score: as in `GridSearchCV`. With several
            metrics `refit` names the one to maximise.
        fit_params: taken, and not used; give them to `fit`.
        n_jobs: folds that run at once, on threads of this process; -1: as many as there are cores.
        n_points: candidates that run at once.
        iid: taken, and not used.
        verbose: above 0: a progress bar.
        pre_dispatch: taken, and not used.
        random_state: None, a seed or a generator, that determines the candidates, together with
            their scores.
        on: where folds run: `Spark(parallelism=8)`; None: here.
        journal: path of a file that keeps every candidate, so that the same search with the same
            path continues; of several spaces each has its own, with a number behind the path.

    Attributes:
        optimizer_results_: the result of each space, as the minimizers return it.
        optimizers_: their `Optimizer`s.
        cv_results_, best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_:
            as in `GridSearchCV`; with train scores there are their ranks, too.
        study_: the `Study` of the last space.
        total_iterations: candidates in all.

    Raises:
        ValueError: a space is empty, or a dimension cannot be.
        TypeError: search_spaces is something else.
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
        if hasattr(estimator, "fit"):  # scikit-learn makes searches of anything, to test them
            self._spaces()

    def fit(
        self, X: Any, y: Any = None, *, groups: Any = None, callback: Any = None, **fit_params: Any
    ) -> BayesSearchCV:
        """Search, then fit the best candidate on all of X and y.

        Args:
            X: samples, (n_samples, ...).
            y: targets, (n_samples,) or (n_samples, n_outputs).
            groups: for the splitter, (n_samples,).
            callback: a function, or several, called with the result of a space after each
                candidate; the search of that space ends when one returns True.
            fit_params: for the estimator's `fit`; arrays over samples are split.
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
        """Candidates in all."""
        return sum(limit for _, limit in self._spaces())

    def _check_options(self) -> None:
        self._spaces()
        whole("n_points", self.n_points, 1)
        if callable(self.refit):
            raise InvalidArgument("BayesSearchCV doesn't support a callable refit")

    def _spaces(self) -> list[tuple[dict[str, Dimension], int]]:
        """The spaces, by their parameters' names in order, and their numbers of candidates."""
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
                "search_spaces must hold {parameter: dimension}, or pairs of such and a number of "
                f"candidates; got {given!r}"
            )
        if not space:
            raise InvalidArgument("a space of search_spaces is empty; give {parameter: dimension}")
        dimensions = {name: deepcopy(check_dimension(space[name])) for name in sorted(space)}
        for name, dimension in dimensions.items():
            dimension.name = name
        return dimensions, whole("the number of candidates", limit, 1)

    # What the search decides otherwise

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
            following = Following(optimizer, self._callbacks)
            self.study_ = optimizer.study
            tune(
                objective,
                optimizer.study.space,
                study=optimizer.study,
                on=on,
                max_trials=limit,
                stop=following,
                journal=f"{self.journal}.{i}" if self.journal and i else self.journal,
                observers=[observe, following],
                errors="raise" if isinstance(self.error_score, str) else "record",
                deterministic=self.on is None,
                progress=self.verbose > 0,
            )
            if following.error is not None:
                raise following.error
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
        """What the space of all spaces calls the values of a trial of space i."""
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
