"""The evaluation of candidates whose budget grows: a number of training samples, or a parameter
such as `n_estimators`.

This module travels to workers by value, and imports only what does so too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktune.sklearn.fold import Evaluation, Parameters

TRAVELS = True
"""It is pickled by value."""

SAMPLES = "n_samples"


class Growing:
    """An `Evaluation` that is called with a budget: with the budget as the value of the parameter
    `resource`, or with so many of the training samples of each fold.

    Args:
        evaluation: of candidates with all there is.
        resource: the name of a parameter of the estimator, or "n_samples".
        orders: for "n_samples": for each fold, positions in its training samples, in the order in
            which they are used.
        shares: whether a budget is a share of them.
        warm: the name of the parameter `warm_start` of the step that continues from a model with a
            smaller budget; "": none does.

    Attributes:
        groups: the numbers of the folds in each part; all are in one if models continue.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        resource: str,
        orders: Sequence[Any] = (),
        *,
        shares: bool = False,
        warm: str = "",
    ) -> None:
        self.evaluation = evaluation
        self.resource = resource
        self.orders = orders
        self.shares = shares
        self.warm = warm
        groups = evaluation.groups
        self.groups = [[number for group in groups for number in group]] if warm else groups

    def __call__(
        self, point: Any, part: int = 0, *, budget: float, state: Any = None
    ) -> dict[str, Any]:
        candidate = self.evaluation.flatten(point)
        if self.resource != SAMPLES:
            candidate = candidate | {self.resource: budget}
        models = dict(state or {})

        def fold(number: int) -> dict[str, Any]:
            model = models[number] = self._model(candidate, models.get(number))
            return self.evaluation.fold(candidate, number, model, self._rows(number, budget))

        told = self.evaluation.result(candidate, fold, self.groups[part])
        return told | {"state": models} if self.warm else told

    def _model(self, candidate: Parameters, before: Any) -> Any:
        """A model to be fitted: the one before, or a new one."""
        if not self.warm:
            return self.evaluation.model(candidate)
        if before is None:
            return self.evaluation.model(candidate | {self.warm: True})
        return before.set_params(**{self.resource: candidate[self.resource]})

    def _rows(self, number: int, budget: float) -> Any:
        """The training samples of a fold at a budget, in the order in which they stand in it."""
        train = self.evaluation.data.splits[number][0]
        if self.resource != SAMPLES:
            return train
        order = self.orders[number]
        n = max(round(budget * len(order)), 1) if self.shares else int(budget)
        return train[np.sort(order[:n])]
