"""What a search does with its candidates: chooses the best, and fits it."""

from __future__ import annotations

import time

from sklearn import clone
from sklearn.model_selection._search import BaseSearchCV

from sparktune.executors.platforms import Platform
from sparktune.sklearn import choice, ensemble, honest
from sparktune.sklearn.corrected import no_score
from sparktune.sklearn.fold import Data, fitted
from sparktune.sklearn.scorers import range_of
from sparktune.sklearn.side_by_side import side_by_side
from sparktune.sklearn.weighted import weighted


class Choosing(BaseSearchCV):  # type: ignore[misc]
    """The part of a search that chooses the best candidate and fits it."""

    def _choose(self, found: honest.Finished, on: Platform, data: Data) -> None:
        """Set the attributes of the best candidate, and fit it."""
        table, metric = found.table, found.metric
        best = int(self._select_best_index(self.refit, metric, table))
        self.remark_, weights = "", dict[int, float]()
        if callable(self.refit):
            correct = no_score("refit chooses by more than the score")
        else:
            like = choice.alike(found.folds, best)
            self.remark_ = choice.remark(like, len(found.trials))
            span = range_of(found.scorer, self.estimator)
            correct = honest.correction(found, best, span)
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
