"""Rules that stop a run that no longer improves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_real, numeric, whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.stopping.rules import Rule


@dataclass(frozen=True, slots=True)
class NoProgress(Rule):
    """Stops when `trials` ended trials in a row have not improved the best loss by more than
    `percent` of it.

    The first trial counts as one without progress but stops nothing by itself, as in Hyperopt.
    Also callable as Hyperopt's `early_stop_fn(trials, *state)`.
    """

    trials: int
    percent: float = 0.0

    def stop(self, history: View) -> str | None:
        """A reason once that many trials of this run in a row brought no progress."""
        ends = history.ends
        first = int(np.searchsorted(ends.finished, history.begun))
        best = float(ends.loss[:first].min()) if first else None
        return "no progress" if self._stalled(ends.loss[first:], best) else None

    def __call__(self, trials: Any, *state: Any) -> tuple[bool, list[Any]]:
        """(stop, state) for the trials so far; the state is not needed."""
        losses = np.array(trials.losses(), dtype=float)  # NaN for None
        status = np.array(trials.statuses())
        losses[(status != "ok") | np.isnan(losses)] = np.inf
        return self._stalled(losses[~np.isin(status, ("new", "running"))], None), []

    def _stalled(self, losses: NDArray[np.float64], best: float | None) -> bool:
        """Whether the last `trials` losses brought no progress over those before, or over `best`;
        never by a first loss alone.
        """
        since = 0
        if best is None and len(losses):
            best, since, losses = float(losses[0]), 1, losses[1:]
        if best is None or not len(losses) or since + len(losses) < self.trials:
            return False
        before = min(best, float(losses[: -self.trials].min(initial=np.inf)))
        if not losses[-self.trials :].min() < before:
            return True
        return bool(self.percent) and self._since_progress(losses, best, since) >= self.trials

    def _since_progress(self, losses: NDArray[np.float64], best: float, since: int) -> int:
        """How many losses in a row were not better than the best before by more than `percent`."""
        # Such a loss is the smallest so far, so only those that are have to be looked at.
        smallest = losses < np.minimum.accumulate(np.append(best, losses[:-1]))
        since += len(losses)
        for i in np.flatnonzero(smallest).tolist():
            margin = abs(best) * self.percent / 100 if np.isfinite(best) else 0.0
            if losses[i] < best - margin:
                best, since = float(losses[i]), len(losses) - 1 - i
        return since


def no_progress_loss(iteration_stop_count: int = 20, percent_increase: float = 0.0) -> NoProgress:
    """A rule for `fmin(early_stop_fn=...)`: stop after so many trials in a row without a better
    loss.

    Args:
        iteration_stop_count: that many trials.
        percent_increase: how much better, in percent of the best loss, a loss must be to count.
    """
    least = whole("iteration_stop_count", iteration_stop_count, 1)
    percent = numeric("percent_increase", percent_increase)
    if percent is None or percent < 0:
        raise InvalidArgument(f"percent_increase must be a number >= 0, got {percent_increase!r}")
    return NoProgress(least, percent)


@dataclass(frozen=True, slots=True)
class NoProgressFor(Rule):
    """Stops when the best loss has not improved for `seconds`, counted from the start of the run at
    the earliest.

    Raises:
        InvalidArgument: `seconds` is not a number > 0.
    """

    seconds: float

    def __post_init__(self) -> None:
        if not is_real(self.seconds) or self.seconds <= 0:
            raise InvalidArgument(
                f"NoProgressFor: seconds must be a number > 0, got {self.seconds!r}"
            )

    def stop(self, history: View) -> str | None:
        """A reason once the time is over."""
        return "no progress in time" if history.now >= self.wake_at(history) else None

    def wake_at(self, history: View) -> float:
        """When the time since the last improvement, or since the start of the run, is over."""
        ends = history.ends
        best = int(np.argmin(ends.loss)) if len(ends.loss) else None
        known = best is not None and ends.loss[best] < np.inf
        improved = float(ends.finished[best]) if known else np.inf
        since = improved if history.begun < improved < np.inf else history.begun
        return since + self.seconds


@dataclass(frozen=True, slots=True)
class RemainingImprovement(Rule):
    """Stops when the next `trials` trials are expected to improve the best loss by less than
    `least` in all.

    If the losses were independent draws, g(n), the expected smallest of n, would be a convex
    function of n, so that the next k trials can be expected to improve the best loss by no more
    than g(n - k) - g(n): what k of the n trials so far have brought. The smallest of n - k of them,
    averaged over all subsets, estimates g(n - k) without bias (J. Dodge et al., "Show Your Work:
    Improved Reporting of Experimental Results", EMNLP 2019; the subsets without replacement are
    R. Tang et al.'s, "Showing Your Work Doesn't Always Work", ACL 2020). So for random search the
    estimate is too large on average rather than too small.

    A sampler that learns draws no independent losses. The estimate is therefore never smaller than
    what the last `trials` trials have brought; but it cannot recognise a sampler that is stuck now
    and would improve later. The estimate is noisy (its standard deviation is about as large as
    itself) and is looked at after each trial, so a run can end early by chance; `& NoProgress(...)`
    asks for a second opinion.

    Args:
        least: in units of the loss, > 0.
        trials: k, >= 1; nothing is stopped before 2 k trials have a finite loss. Others do not
            count.

    Raises:
        InvalidArgument: an argument is out of range.
    """

    least: float
    trials: int = 20

    def __post_init__(self) -> None:
        whole("trials", self.trials, 1)
        if not is_real(self.least) or self.least <= 0:
            raise InvalidArgument(
                f"RemainingImprovement: least must be a number > 0, got {self.least!r}"
            )

    def stop(self, history: View) -> str | None:
        """A reason once the estimate is smaller than `least`."""
        losses = history.ends.loss
        usable = np.isfinite(losses)
        losses = losses if usable.all() else losses[usable]
        if len(losses) < 2 * self.trials:
            return None
        lately = float(losses[: -self.trials].min() - losses.min())
        if lately >= self.least:
            return None
        expected = max(lately, _gain(losses, self.trials))
        return "little improvement expected" if expected < self.least else None


def _gain(losses: NDArray[np.float64], k: int) -> float:
    """g(n - k) - g(n) of n losses: by how much k of them make the smallest one smaller, averaged
    over all choices of the k.
    """
    n = len(losses)
    # The k + 1 smallest are among those not larger than k + 1 of a few.
    enough = np.partition(losses[: 50 * k], k)[k]
    smallest = np.sort(losses[losses <= enough])[: k + 1]
    # The i-th smallest is the smallest of n - k of them with probability w_i:
    # w_1 = (n - k) / n, and w_(i+1) = w_i (k - i + 1) / (n - i).
    i = np.arange(1, k + 1)
    w = (n - k) / n * np.cumprod(np.append(1.0, (k - i + 1) / (n - i)))
    return float(w @ (smallest - smallest[0]))
