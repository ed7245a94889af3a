"""`HyperoptEstimator`: chooses preprocessing and model together, as trials of one study."""

from __future__ import annotations

import os
import pickle
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from sparktune.arguments import whole
from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Platform
from sparktune.hpsklearn._best import AllModelsFailed, BestModel
from sparktune.hpsklearn._inputs import data_of, seed_of, targets_of
from sparktune.hpsklearn._search import Search, platform_of, space_of
from sparktune.hpsklearn._splits import splits_of
from sparktune.hpsklearn._validation import Data, Rules
from sparktune.hyperopt import Trials, rand
from sparktune.sklearn.preparation import preparation_of

__all__ = ["AllModelsFailed", "HyperoptEstimator", "hyperopt_estimator"]


class HyperoptEstimator(BestModel):
    """A classifier or regressor chosen from a search space, together with its preprocessing.

        model = HyperoptEstimator(classifier=any_classifier("clf"), algo=tpe.suggest, max_evals=50,
                                  trial_timeout=60, seed=0, on=Spark(parallelism=8))
        model.fit(X, y).predict(X)

    A program written for hyperopt-sklearn runs unchanged; additional options come last.

    Args:
        preprocessing: a node, or a list of nodes, that evaluates to a list of transformers; []:
            none; None: what suits the data, for dense matrices `any_preprocessing`.
        ex_preprocs: such a list for each exogenous data set; None: no preprocessing of them.
        classifier, regressor: a node that evaluates to a model; both None: classifiers that suit
            the data.
        space: {"classifier": ..., "regressor": ..., "preprocessing": ..., "ex_preprocs": ...} in
            place of these four, or a node that gives such a dict.
        algo: what suggests points, as in `fmin`; default: random search.
        max_evals: trials of a fit; under `warm_start` in addition to the earlier ones.
        loss_fn: `(y_true, y_pred) -> loss` on the predictions of all folds together; None:
            1 - accuracy for classifiers, 1 - R2 for regressors.
        continuous_loss_fn: whether `loss_fn` receives probabilities, (n_samples, n_classes).
        verbose: whether to show a progress bar.
        trial_timeout: seconds that one trial may run; None: no limit. With a limit and without
            Spark, trials run in a separate process.
        fit_increment: how many trials `fit_iter` makes in one step, and after how many the trials
            are dumped.
        fit_increment_dump_filename: a file into which the trials are pickled; None: none.
        seed: an integer or a numpy Generator that determines the trials and the splits; None:
            random.
        use_partial_fit: fit models that can by epochs of `partial_fit`, until their score on the
            validation rows gets no better.
        refit: whether to fit the best model on all data. Without, it cannot predict.
        n_jobs: passed to models that have this parameter.
        scoring: a scorer, or its name, as in scikit-learn; maximised in place of `loss_fn`.
        on: where trials are evaluated: `Spark(parallelism=8)`, `Processes(4)`, `Threads(4)`, or
            None for this process.

    Attributes:
        best_estimator_: the best model with its preprocessing as a `sklearn.pipeline.Pipeline`; not
            where there are exogenous data sets.
        best_loss_: its loss.
        classes_: the classes of the target.
    """

    def __init__(
        self,
        preprocessing: Any = None,
        ex_preprocs: Any = None,
        classifier: Any = None,
        regressor: Any = None,
        space: Any = None,
        algo: Any = rand.suggest,
        max_evals: int = 10,
        loss_fn: Any = None,
        continuous_loss_fn: bool = False,
        verbose: Any = False,
        trial_timeout: float | None = None,
        fit_increment: int = 1,
        fit_increment_dump_filename: str | os.PathLike[str] | None = None,
        seed: Any = None,
        use_partial_fit: bool = False,
        refit: bool = True,
        n_jobs: int | None = 1,
        scoring: Any = None,
        on: Platform | None = None,
    ) -> None:
        self.preprocessing = preprocessing
        self.ex_preprocs = ex_preprocs
        self.classifier = classifier
        self.regressor = regressor
        self.space = space
        self.algo = algo
        self.max_evals = max_evals
        self.loss_fn = loss_fn
        self.continuous_loss_fn = continuous_loss_fn
        self.verbose = verbose
        self.trial_timeout = trial_timeout
        self.fit_increment = fit_increment
        self.fit_increment_dump_filename = fit_increment_dump_filename
        self.seed = seed
        self.use_partial_fit = use_partial_fit
        self.refit = refit
        self.n_jobs = n_jobs
        self.scoring = scoring
        self.on = on

    @property
    def trials(self) -> Trials:
        """The trials of all fits."""
        if "_trials" not in self.__dict__:
            raise AttributeError("trials exists only after fit")
        return self._trials

    # The search

    def fit(
        self,
        X: Any,
        y: Any,
        EX_list: Sequence[Any] | None = None,
        valid_size: float = 0.2,
        n_folds: int | None = None,
        kfolds_group: Any = None,
        cv_shuffle: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        sample_weight: Any = None,
    ) -> HyperoptEstimator:
        """Search, then fit the best model on all data.

        Args:
            X: samples, (n_samples, n_features): an array, a sparse matrix, a list, or a DataFrame,
                whose texts, dates and missing values are made numbers first (missing values of
                an array only if no `preprocessing` is given); or texts, (n_samples,).
            y: targets, (n_samples,) or (n_samples, n_targets).
            EX_list: exogenous data sets, each (n_samples, ...).
            valid_size: the share of the rows on which models are scored, where there are no folds.
            n_folds: None: one split; -1: leave one out; else so many folds.
            kfolds_group: groups that stay together in folds, (n_samples,).
            cv_shuffle: shuffle the rows; False: a single split scores on the last ones. The shares
                of classes are kept.
            warm_start: continue with the trials that there are.
            random_state: an integer or numpy Generator for the shuffling; None: `seed` decides.
            sample_weight: weights of the samples, (n_samples,), for models that take them and for
                the usual losses.

        Raises:
            InvalidArgument: an argument is wrong; nothing was evaluated.
            AllModelsFailed: no model could be fitted and scored.
        """
        steps = self.fit_iter(
            X,
            y,
            EX_list,
            valid_size,
            n_folds,
            kfolds_group,
            cv_shuffle,
            warm_start,
            random_state,
            sample_weight,
        )
        limit = whole("max_evals", self.max_evals, 1)
        next(steps)
        dumps = self.fit_increment_dump_filename is not None
        while limit > 0:
            step = min(self.fit_increment, limit) if dumps else limit
            steps.send(step)
            limit -= step
            if dumps:
                self._dump()
            if self._search.interrupted:
                break
        self._take_best()
        if self.refit:
            self.retrain_best_model_on_full_data(X, y, EX_list, sample_weight)
        return self

    def fit_iter(
        self,
        X: Any,
        y: Any,
        EX_list: Sequence[Any] | None = None,
        valid_size: float = 0.2,
        n_folds: int | None = None,
        kfolds_group: Any = None,
        cv_shuffle: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        sample_weight: Any = None,
    ) -> Generator[Trials, int | None, None]:
        """A generator of the trials, after 0, `fit_increment`, twice as many ... evaluations,
        without end. Send it a number to choose how many come next. The arguments are those of
        `fit`.
        """
        if warm_start and not hasattr(self, "trials"):
            raise InvalidArgument("warm_start=True continues earlier trials, and there are none")
        increment = whole("fit_increment", self.fit_increment, 1)
        data = data_of(X, targets_of(y), EX_list, sample_weight)
        space, classes = space_of(self, data)
        seed = seed_of(self.seed)
        random_state = seed if random_state is None else seed_of(random_state)
        splits = splits_of(
            data.y,
            classes,
            valid_size=valid_size,
            n_folds=n_folds,
            groups=kfolds_group,
            shuffle=cv_shuffle,
            random_state=random_state % 2**32,
        )
        if not warm_start:
            self._trials = Trials()
        self._forget()
        self._rules = self._make_rules(data, classes)
        self._search = Search(
            space, self.algo, seed, self.trials, platform_of(self.on, self.trial_timeout)
        )
        while True:
            sent = yield self.trials
            self._search.run(
                data, splits, self._rules, increment if sent is None else sent, bool(self.verbose)
            )

    def _forget(self) -> None:
        for name in ("_learner", "_chains", "best_estimator_", "classes_", "feature_names_in_"):
            self.__dict__.pop(name, None)

    def _make_rules(self, data: Data, classes: bool) -> Rules:
        if self.continuous_loss_fn and (self.loss_fn is None or not classes):
            raise InvalidArgument("continuous_loss_fn=True needs a classifier and a loss_fn")
        if self.scoring is not None and self.loss_fn is not None:
            raise InvalidArgument("give either scoring= or loss_fn=, not both")
        scorer = self.scoring
        if isinstance(scorer, str):
            from sklearn.metrics import get_scorer

            scorer = get_scorer(scorer)
        return Rules(
            self.loss_fn,
            self.continuous_loss_fn,
            scorer,
            self.use_partial_fit,
            self.trial_timeout,
            self.n_jobs,
            preparation_of(data.X) if self._is_prepared(data.X) else None,
        )

    def _is_prepared(self, X: Any) -> bool:
        """Whether X is prepared before all other steps: a DataFrame; an array of numbers if the
        preprocessing is not given.
        """
        numbers = isinstance(X, np.ndarray) and X.dtype.kind == "f"
        return hasattr(X, "columns") or (numbers and self._chooses_steps)

    @property
    def _chooses_steps(self) -> bool:
        return self.preprocessing is None and self.space is None

    def _dump(self) -> None:
        with open(str(self.fit_increment_dump_filename), "wb") as file:
            pickle.dump(self.trials, file)

    # scikit-learn's conventions

    @property
    def _estimator_type(self) -> str:
        regresses = self.classifier is None and self.regressor is not None
        return "regressor" if regresses else "classifier"

    def __sklearn_tags__(self) -> Any:
        """Tags, for scikit-learn 1.6 and newer."""
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super().__sklearn_tags__()
        tags.estimator_type = self._estimator_type
        tags.target_tags.required = True
        if self._estimator_type == "classifier":
            tags.classifier_tags = ClassifierTags()
        else:
            tags.regressor_tags = RegressorTags()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self._chooses_steps
        tags.non_deterministic = self.seed is None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_learner")

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_search"}


hyperopt_estimator = HyperoptEstimator  # its name in hyperopt-sklearn's modules
