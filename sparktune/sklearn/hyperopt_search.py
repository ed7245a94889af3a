"""`HyperoptSearchCV`: the search with the names and types of `fmin`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from joblib import cpu_count

from sparktune.arguments import whole
from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Serial, Threads
from sparktune.limits import time_and_loss
from sparktune.parallel_trials import SparkTrials
from sparktune.samplers.algorithms import resolve
from sparktune.sklearn.checks import seeded
from sparktune.sklearn.fold import Evaluation
from sparktune.sklearn.growing import Growing
from sparktune.sklearn.rows import ROW
from sparktune.sklearn.running import Plan, run
from sparktune.sklearn.search import SparkSearchCV
from sparktune.sklearn.spaces import space_of
from sparktune.trial import Status, Trial
from sparktune.trials import Trials


class HyperoptSearchCV(SparkSearchCV):
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
        trials: `Trials()` (default) evaluates folds in this process, `SparkTrials(...)` as Spark
            tasks, `ThreadTrials(...)` on threads. Spark workers need scikit-learn; the data is sent
            to each machine once.
        algo: what chooses candidates, as in `fmin`; None: TPE.
        warm_start: False: every fit starts over, with the settings of `trials` but none of its
            records; `trials` itself is left alone. True: the first fit continues from `trials`, the
            following ones from `trials_`.
        n_jobs: with `Trials()`: threads for folds; None: one; -1: as many as there are cores.
        scoring, refit, cv, verbose, pre_dispatch, random_state, error_score, return_train_score: as
            in `SparkSearchCV`.

    Attributes:
        trials_: the trials; each result holds `loss` (the mean test score, negated), `params` and
            `cv_results`. Other attributes are those of `SparkSearchCV`; rows of `cv_results_` are
            in the order of the trials' ids, earlier fits' included.
    """

    _required_parameters = ("estimator", "space", "max_evals")  # for scikit-learn up to 1.5

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
            estimator,
            space,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
            unit="auto",
            warm_start=warm_start,
        )
        self.max_evals = max_evals
        self.trials = trials
        self.algo = algo

    def _plan(self) -> Plan:
        self.trials_ = trials = self._start()
        limit = whole("max_evals", self.max_evals, 1)
        on, in_order = trials.platform(), trials.lag is not None
        n = 1 if self.n_jobs is None else self.n_jobs if self.n_jobs > 0 else cpu_count()
        if isinstance(on, Serial) and n > 1:
            on, in_order = Threads(n), True
        stop = time_and_loss(trials)
        return Plan(space_of(self.space), limit, on, stop=stop, in_order=in_order)

    def _run(
        self, plan: Plan, objective: Evaluation | Growing, observe: Callable[..., None]
    ) -> Mapping[int, Trial]:
        trials = self.trials_
        seed = seeded(self.random_state)
        with trials.studied(plan.space, resolve(self.algo), seed) as self.study_:
            run(self, plan, objective, [trials.observe, observe])
        return trials.records

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
