"""Rules that stop a run at a number of trials, at a time, or at a loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktune.arguments import is_real, whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.stopping.rules import Rule


@dataclass(frozen=True, slots=True)
class MaxEvals(Rule):
    """Stops once `trials` trials have ended, including failed ones and those of earlier runs, but
    not cancelled ones and promotions. `fmin(max_evals=)` never starts more trials than it needs;
    this rule cancels those that run beyond the number.

    Raises:
        InvalidArgument: `trials` is not an integer >= 1.
    """

    trials: int

    def __post_init__(self) -> None:
        whole("trials", self.trials, 1)

    def stop(self, history: View) -> str | None:
        """A reason once there are that many."""
        ended = int(np.count_nonzero(history.parent[history.ends.row] < 0))
        return "max evals" if ended >= self.trials else None


@dataclass(frozen=True, slots=True)
class MaxBudget(Rule):
    """Stops once trials that ended have spent `evaluations` full evaluations: the sum of their
    budgets, without what they took over from an earlier state, in units of the full budget.

    Raises:
        InvalidArgument: `evaluations` is not a number > 0.
    """

    evaluations: float

    def __post_init__(self) -> None:
        if not is_real(self.evaluations) or self.evaluations <= 0:
            raise InvalidArgument(
                f"MaxBudget: evaluations must be a number > 0, got {self.evaluations!r}"
            )

    def stop(self, history: View) -> str | None:
        """A reason once that much is spent."""
        spent = float(history.spent[history.ends.row].sum()) / history.full
        return "max budget" if spent >= self.evaluations * (1 - 1e-9) else None


@dataclass(frozen=True, slots=True)
class Timeout(Rule):
    """Stops `seconds` after the run began.

    Raises:
        InvalidArgument: `seconds` is negative, or not a number.
    """

    seconds: float

    def __post_init__(self) -> None:
        if not is_real(self.seconds) or self.seconds < 0:
            raise InvalidArgument(f"Timeout: seconds must be a number >= 0, got {self.seconds!r}")

    def stop(self, history: View) -> str | None:
        """A reason once the time is over."""
        return "timeout" if history.now >= self.wake_at(history) else None

    def wake_at(self, history: View) -> float:
        """The end of the time."""
        return history.begun + self.seconds


@dataclass(frozen=True, slots=True)
class LossThreshold(Rule):
    """Stops once the best loss is below `threshold`.

    Raises:
        InvalidArgument: `threshold` is not a number.
    """

    threshold: float

    def __post_init__(self) -> None:
        if not is_real(self.threshold):
            raise InvalidArgument(
                f"LossThreshold: threshold must be a number, got {self.threshold!r}"
            )

    def stop(self, history: View) -> str | None:
        """A reason once the best loss is below the threshold; equal is not enough."""
        return "loss threshold" if history.best < self.threshold else None
