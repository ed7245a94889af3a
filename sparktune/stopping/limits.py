"""Rules that stop a run at a number of trials, at a budget, at a time, or at a loss."""

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
    without cancelled trials and promotions. `fmin(max_evals=)` never starts more trials than it
    needs; this rule cancels running trials beyond the number.

    Raises:
        InvalidArgument: `trials` is not an integer >= 1.
    """

    trials: int

    def __post_init__(self) -> None:
        whole("trials", self.trials, 1)

    def stop(self, history: View) -> str | None:
        """The reason, if that many trials have ended; else None."""
        ended = int(np.count_nonzero(history.parent[history.ends.row] < 0))
        return "max evals" if ended >= self.trials else None


@dataclass(frozen=True, slots=True)
class MaxBudget(Rule):
    """Stops once the ended trials have spent the budget of `evaluations` full evaluations: the sum
    of their budgets, without the parts that they continued from an earlier state.

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
        """The reason, if that budget is spent; else None."""
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
        """The reason, if the time is over; else None."""
        return "timeout" if history.now >= self.wake_at(history) else None

    def wake_at(self, history: View) -> float:
        """The time at which this rule stops the run, in seconds since the epoch."""
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
        """The reason, if the best loss is strictly below the threshold; else None."""
        return "loss threshold" if history.best < self.threshold else None
