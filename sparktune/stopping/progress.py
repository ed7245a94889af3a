"""Rules that stop a run whose best loss no longer improves."""

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

    The first trial counts as a trial without progress, but cannot stop the run alone, as in
    Hyperopt. The rule can also be called as Hyperopt's `early_stop_fn(trials, *state)`.

    Raises:
        InvalidArgument: `trials` is not an integer >= 1, or `percent` not a number >= 0.
    """

    trials: int
    percent: float = 0.0

    def __post_init__(self) -> None:
        whole("NoProgress: trials", self.trials, 1)
        if not is_real(self.percent) or self.percent < 0:
            raise InvalidArgument(
                f"NoProgress: percent must be a number >= 0, got {self.percent!r}"
            )

    def stop(self, history: View) -> str | None:
        """The reason, if the last `trials` trials of this run brought no progress; else None."""
        ends = history.ends
        first = int(np.searchsorted(ends.finished, history.begun))
        best = float(ends.loss[:first].min()) if first else None
        return "no progress" if self._stalled(ends.loss[first:], best) else None

    def __call__(self, trials: Any, *state: Any) -> tuple[bool, list[Any]]:
        """(stop, state) for the trials so far; the state is empty."""
        losses = np.array(trials.losses(), dtype=float)  # NaN for None
        status = np.array(trials.statuses())
        losses[(status != "ok") | np.isnan(losses)] = np.inf
        return self._stalled(losses[~np.isin(status, ("new", "running"))], None), []

    def _stalled(self, losses: NDArray[np.float64], best: float | None) -> bool:
        """Whether the last `trials` losses brought no progress over earlier ones, or over `best`;
        false for a single loss without an earlier one.
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
        """The number of losses since the last one that improved the best by more than `percent`."""
        # Only a loss that is the smallest so far can improve the best, so the others are skipped.
        smallest = losses < np.minimum.accumulate(np.append(best, losses[:-1]))
        since += len(losses)
        for i in np.flatnonzero(smallest).tolist():
            margin = abs(best) * self.percent / 100 if np.isfinite(best) else 0.0
            if losses[i] < best - margin:
                best, since = float(losses[i]), len(losses) - 1 - i
        return since


def no_progress_loss(iteration_stop_count: int = 20, percent_increase: float = 0.0) -> NoProgress:
    """A rule for `fmin(early_stop_fn=...)` that stops after a number of trials in a row without a
    better loss.

    Args:
        iteration_stop_count: the number of trials, >= 1.
        percent_increase: smallest improvement that counts, in percent of the best loss, >= 0.

    Raises:
        InvalidArgument: an argument is out of range.
    """
    least = whole("iteration_stop_count", iteration_stop_count, 1)
    percent = numeric("percent_increase", percent_increase)
    if percent is None or percent < 0:
        raise InvalidArgument(f"percent_increase must be a number >= 0, got {percent_increase!r}")
    return NoProgress(least, percent)


@dataclass(frozen=True, slots=True)
class NoProgressFor(Rule):
    """Stops when the best loss has not improved for `seconds`, which count from the start of the
    run at the earliest.

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
        """The reason, if the time is over; else None."""
        return "no progress in time" if history.now >= self.wake_at(history) else None

    def wake_at(self, history: View) -> float:
        """The time of the last improvement, or of the start of the run, plus `seconds`."""
        ends = history.ends
        best = int(np.argmin(ends.loss)) if len(ends.loss) else None
        known = best is not None and ends.loss[best] < np.inf
        improved = float(ends.finished[best]) if known else np.inf
        since = improved if history.begun < improved < np.inf else history.begun
        return since + self.seconds


@dataclass(frozen=True, slots=True)
class RemainingImprovement(Rule):
    """Stops when the next `trials` trials together are expected to improve the best loss by less
    than `least`.

    Let g(n) be the expected smallest of n losses, and k be `trials`. For independent draws g is
    convex, so the next k trials improve the best loss by at most g(n - k) - g(n) on average, which
    is the improvement by k of the n trials so far. The smallest of n - k losses, averaged over all
    subsets, estimates g(n - k) without bias (J. Dodge et al., "Show Your Work: Improved Reporting
    of Experimental Results", EMNLP 2019; the subsets without replacement are from R. Tang et al.,
    "Showing Your Work Doesn't Always Work", ACL 2020). For random search the estimate is therefore
    too large on average rather than too small.

    The losses of a model-based sampler are not independent. The estimate is therefore at least the
    improvement by the last k trials. It cannot recognise a sampler that is stuck now and would
    improve later. The estimate is noisy (its standard deviation is about as large as the estimate)
    and is computed after each trial, so a run can end early by chance; `& NoProgress(...)` makes
    that less likely.

    Args:
        least: in units of the loss, > 0.
        trials: k, >= 1. The rule needs at least 2 k trials with a finite loss; other trials do not
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
        """The reason, if the estimate is smaller than `least`; else None."""
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
    """The estimate of g(n - k) - g(n) from n losses: the improvement of the smallest loss by k of
    them, averaged over all subsets of k.
    """
    n = len(losses)
    # Some k + 1 losses are at most `enough`, so the k + 1 smallest of all losses are, too.
    enough = np.partition(losses[: 50 * k], k)[k]
    smallest = np.sort(losses[losses <= enough])[: k + 1]
    # The i-th smallest is the smallest of n - k of them with probability w_i:
    # w_1 = (n - k) / n, and w_(i+1) = w_i (k - i + 1) / (n - i).
    i = np.arange(1, k + 1)
    w = (n - k) / n * np.cumprod(np.append(1.0, (k - i + 1) / (n - i)))
    return float(w @ (smallest - smallest[0]))
