"""`SparkSearchCV`: scikit-learn's hyperparameter search, with folds as Spark tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.arguments import positive, whole
from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Platform, here_or_spark
from sparktune.schedulers.folds import OF_RULES, RULES
from sparktune.sklearn.fitting import FoldSearch
from sparktune.sklearn.resource import check_options
from sparktune.sklearn.running import Plan
from sparktune.sklearn.spaces import check_grid, grid_points, space_of
from sparktune.stopping import Never, Timeout


class SparkSearchCV(FoldSearch):
    """Cross-validated search whose folds run as Spark tasks, and whose earlier scores guide later
    candidates.

    It takes the place of `RandomizedSearchCV` or `GridSearchCV`. After `fit` it is used like the
    best estimator.

        search = SparkSearchCV(SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=50, on=Spark(8))
        search.fit(X, y).predict(X)

    Args:
        estimator: any scikit-learn estimator, pipelines included.
        space: a dict {parameter: values}, with names as `set_params` takes them ("clf__C"), or a
            list of such dicts. Values are a list of options, a frozen distribution of scipy, an
            `hp.*` node, a dimension of scikit-optimize or a distribution of Optuna. A dict under a
            name that is not a parameter is a group: its entries count as entries of the space, as
            in {"kind": hp.choice("kind", [{"C": ...}, {...}])}. None: the space that the estimator
            brings, as `any_classifier()` does.
        n_iter: the number of candidates; with `warm_start`, candidates of earlier fits count. None:
            10, or as many as `time_budget` allows.
        scoring: as in `GridSearchCV`. With several metrics, the search maximises the one that
            `refit` names, or the first one if `refit` is a function or False.
        n_jobs: if `on` is None: how many folds run at once; None or -1: as many as there are slots.
        refit: whether to fit the best candidate on all data; or the name of the metric that decides
            which is best; or a function of `cv_results_` that returns the index of the best; or
            "ensemble": `best_estimator_` is `ensemble_`.
        cv: as in `GridSearchCV`. The splits are made once; all candidates of a fit share them.
        verbose: 0: silent; above: a progress bar.
        pre_dispatch: accepted for compatibility and ignored; never more folds are submitted than
            there are slots.
        random_state: an integer, a `numpy.random.RandomState` or a `numpy.random.Generator` that,
            together with the scores, determines the candidates; None: random.
        error_score: the score of a fold that cannot be fitted or scored, and of every fold of a
            candidate whose process died or ran out of time; "raise": the first failure ends the
            search.
        return_train_score: whether `cv_results_` holds scores on the training folds.
        param_distributions: another name for `space`, that of `RandomizedSearchCV`.
        param_grid: instead of a space: a dict or list of dicts {parameter: options}. All
            combinations are evaluated, as in `GridSearchCV`, and `n_iter` is ignored.
        sampler: what chooses candidates: "tpe", "gp", "random", ..., or a sampler, as in `tune`.
        on: where folds are evaluated: `Spark(...)`, `Threads(...)` or `Serial()`. None: Spark, or
            this process inside a Spark task. Workers need scikit-learn. The data is sent to each
            machine once.
        unit: "fold": each fold of a candidate is a task; "candidate": all folds of a candidate are
            one task, which is cheaper where a fold takes less than about 0.05 seconds; "auto":
            starts with folds and switches by the time they take.
        racing: whether a candidate that is clearly worse than the best gets no more folds after its
            second, by the rule "forgiving" or "paired" of `sparktune.schedulers.Folds`; True:
            either rule stops it. Its row keeps the folds it has. Its mean is NaN, so it is never
            the best. `cv_results_` gets two more columns: `n_folds`, and `partial_test_<metric>`,
            the mean of these folds.
        repeats: "adaptive", for a `cv` that repeats its folds, such as `RepeatedStratifiedKFold`:
            all candidates get the folds of the first repeat, and only those within one standard
            error of the best get more. Rows of the others are as in a race. None: all candidates
            get all folds.
        scheduler: with `resource`: gives most candidates only a part of it and a few all of it,
            such as `ASHA(min_budget=10, max_budget=270)`; `n_iter` counts candidates. A row shows
            the last result of its candidate. The mean of a candidate that got less than others is
            NaN, so it is never the best. `cv_results_` gets two more columns: `n_resources`, and
            `partial_test_<metric>`, the mean at that budget. None: every candidate gets all.
        resource: the unit of the scheduler's budgets: "n_samples", training samples of each fold
            (up to 1.0: their share), see `sparktune.subset`; or the name of a parameter, such as
            "n_estimators", "clf__n_estimators" or "max_iter", which the space must not contain.
            Models that have `warm_start`, and whose parameter counts all steps, continue from the
            smaller budget; the folds of a candidate are one task then.
        checkpoints: a folder (an absolute path) or a URL that all workers can write to, where such
            models wait for more budget; None: they travel to the driver and back, up to 100 MB for
            a candidate. A model that is lost is fitted from the beginning.
        time_budget: seconds for the search, without the last fit. Candidates that still run then
            are dropped; a repeat that has begun is finished. None: no limit.
        journal: path of a file that keeps every candidate and score. The same search with the same
            path continues where the previous one ended; other data or another space are refused.
            Its files are unpickled: continue only journals that you trust.
        warm_start: whether `fit` continues from the candidates of the previous fit, which must have
            had the same X and y.
        select: "best": the highest mean score; "1se": of the candidates that cannot be
            distinguished from the best (lower by at most one standard error, fold by fold), the one
            with the shortest fit time. For other rules, see `refit`.
        ensemble: the number of draws of which an ensemble of candidates is made (Caruana 2004); 0:
            no ensemble. Its members, at most as many, are fitted on all data where folds run.
        keep_predictions: whether workers send back the predictions for the test folds, at most
            10,000 samples, of the best 50 candidates. They make `corrected_score_` better, and an
            ensemble needs them.
        deterministic: whether candidates depend on `random_state` alone and not on the timing. A
            slow candidate then delays others.
        tracking: "mlflow", or `MlflowObserver(...)` with options: log the search to MLflow, each
            candidate as a child run, as in `tune`. None: no tracking.

    Attributes:
        cv_results_: {column: array over candidates}, as in `GridSearchCV`. Parameters that a
            candidate does not have are masked.
        best_index_, best_params_, best_score_: the row, the parameters and the mean test score of
            the best candidate. There is no best_score_ if `refit` is a function, and none of the
            three if there are several metrics and `refit` is False.
        best_estimator_, refit_time_: the best candidate fitted on all data, and the seconds that
            took; only with `refit`.
        corrected_score_, corrected_interval_, corrected_by_: the score that the best candidate is
            expected to reach on new data, its 95 % interval, and how they were computed. The
            maximum of many scores, `best_score_`, is too optimistic. Computed by BBC-CV from kept
            predictions, or by Tibshirani's correction without them; NaN where `refit` or `select`
            uses more than the score. They correct for choosing among the candidates, but not for
            the sampler's use of the same scores.
        leaderboard_: the candidates, best first, each a dict: `rank`, `candidate` (its row),
            `score`, `std`, `like_the_best`, `fit_time`, `weight` (in the ensemble), `params`.
        remark_: in words, how many candidates cannot be distinguished from the best; "" if none.
        ensemble_: with `ensemble`: a fitted `VotingClassifier` (of probabilities) or
            `VotingRegressor`; `ensemble_weights_` is {row: weight}.
        test_score_: with `fit(test=...)`: the score of `best_estimator_` on these samples.
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
        racing: bool | str = False,
        repeats: str | None = None,
        scheduler: Any = None,
        resource: str | None = None,
        checkpoints: Any = None,
        time_budget: float | None = None,
        journal: Any = None,
        warm_start: bool = False,
        select: str = "best",
        ensemble: int = 0,
        keep_predictions: bool = True,
        deterministic: bool = False,
        tracking: Any = None,
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
        self.repeats = repeats
        self.scheduler = scheduler
        self.resource = resource
        self.checkpoints = checkpoints
        self.time_budget = time_budget
        self.journal = journal
        self.warm_start = warm_start
        self.select = select
        self.ensemble = ensemble
        self.keep_predictions = keep_predictions
        self.deterministic = deterministic
        self.tracking = tracking

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
        self._check_folds()
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

    def _check_folds(self) -> None:
        if self.unit not in ("auto", "fold", "candidate"):
            raise InvalidArgument(f'unit must be "fold", "candidate" or "auto", got {self.unit!r}')
        if self.racing not in (False, True, *RULES):
            raise InvalidArgument(f"racing must be True, False, {OF_RULES}, got {self.racing!r}")
        if self.racing and (self.unit == "candidate" or self.deterministic):
            raise InvalidArgument('racing needs unit="fold" and deterministic=False')
        if self.repeats not in (None, "adaptive"):
            raise InvalidArgument(f'repeats must be "adaptive" or None, got {self.repeats!r}')
        if self.repeats and (self.racing or self.scheduler is not None):
            raise InvalidArgument(
                'repeats="adaptive", racing= and scheduler= each decide who gets more; give one of '
                "them"
            )
        check_options(self.scheduler, self.resource, racing=bool(self.racing))

    def _plan(self) -> Plan:
        """What this search is to do."""
        on = here_or_spark(self.n_jobs) if self.on is None else self.on
        stop = Never() if self.time_budget is None else Timeout(self.time_budget)
        if self.param_grid is not None:
            check_grid(self.param_grid)
            points = [*grid_points(self.param_grid)]
            return Plan(space_of(self.param_grid), 0, on, points, stop, self.deterministic)
        limit = 10 if self.n_iter is None and self.time_budget is None else self.n_iter
        most = None if limit is None else whole("n_iter", limit, 1)
        given: Any = self.param_distributions if self.space is None else self.space
        first: Any = ()
        if given is None:
            given, first = self.estimator.search_space(self._needs_probabilities())
        return Plan(space_of(given), most, on, (), stop, self.deterministic, tuple(first))

    def _needs_probabilities(self) -> bool:
        """Whether a candidate without `predict_proba` would be of no use."""
        scorers = self.scorer_.values() if isinstance(self.scorer_, dict) else [self.scorer_]
        methods = [getattr(scorer, "_response_method", "") for scorer in scorers]
        return self.refit == "ensemble" or "predict_proba" in methods
