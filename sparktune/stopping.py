"""Stopping rules: `stop(history)` returns the reason to stop now, or None. They combine with `|`
and `&`.

A rule also says when it may next change its mind without a new result (`wake_at`), so that a run
can sleep until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sparktune.arguments import numeric, whole
from sparktune.errors import InvalidArgument
from sparktune.history import CODES, View
from sparktune.trial import Status


class Stopper(Protocol):
    """What a run asks after every result."""

    def stop(self, history: View) -> str | None:
        """The reason to stop now, or None."""

    def wake_at(self, history: View) -> float:
        """When to ask again if nothing happens, in seconds since the epoch; infinite for never."""


class _Combinable:
    """Adds `|` and `&`."""

    __slots__ = ()

    def __or__(self, other: Stopper) -> AnyOf:
        return AnyOf(self, other)  # type: ignore[arg-type]

    def __and__(self, other: Stopper) -> AllOf:
        return AllOf(self, other)  # type: ignore[arg-type]

    def wake_at(self, history: View) -> float:
        """Never: results alone decide."""
        return float("inf")


@dataclass(frozen=True, slots=True)
class AnyOf(_Combinable):
    """Stops when either rule does."""

    first: Stopper
    second: Stopper

    def stop(self, history: View) -> str | None:
        """The reason of the first rule that wants to stop."""
        return self.first.stop(history) or self.second.stop(history)

    def wake_at(self, history: View) -> float:
        """The earlier of the two."""
        return min(self.first.wake_at(history), self.second.wake_at(history))


@dataclass(frozen=True, slots=True)
class AllOf(_Combinable):
    """Stops when both rules do."""

    first: Stopper
    second: Stopper

    def stop(self, history: View) -> str | None:
        """Both reasons, once both rules want to stop."""
        reasons = self.first.stop(history), self.second.stop(history)
        return f"{reasons[0]} and {reasons[1]}" if all(reasons) else None

    def wake_at(self, history: View) -> float:
        """The earlier of the two that is still to come."""
        times = self.first.wake_at(history), self.second.wake_at(history)
        return min((t for t in times if t > history.now), default=float("inf"))


@dataclass(frozen=True, slots=True)
class Never(_Combinable):
    """Never stops."""

    def stop(self, history: View) -> str | None:
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class Timeout(_Combinable):
    """Stops `seconds` after the run began."""

    seconds: float

    def stop(self, history: View) -> str | None:
        """A reason once the time is over."""
        return "timeout" if history.now >= self.wake_at(history) else None

    def wake_at(self, history: View) -> float:
        """The end of the time."""
        return history.begun + self.seconds


@dataclass(frozen=True, slots=True)
class LossThreshold(_Combinable):
    """Stops once the best loss is below `threshold`."""

    threshold: float

    def stop(self, history: View) -> str | None:
        """A reason once the best loss is below the threshold; equal is not enough."""
        return "loss threshold" if history.best < self.threshold else None


@dataclass(frozen=True, slots=True)
class NoProgress(_Combinable):
    """Stops when `trials` ended trials in a row have not improved the best loss by more than
    `percent` of it.

    The first trial counts as one without progress but stops nothing by itself, as in Hyperopt.
    Also callable as Hyperopt's `early_stop_fn(trials, *state)`.
    """

    trials: int
    percent: float = 0.0

    def stop(self, history: View) -> str | None:
        """A reason once that many trials of this run in a row brought no progress."""
        ended = ~history.pending & (history.status != CODES[Status.CANCELLED])
        now = ended & (history.finished >= history.begun)
        order = np.flatnonzero(now)[np.argsort(history.finished[now], kind="stable")]
        losses = np.where(history.ok, history.loss, np.inf)
        before = losses[ended & ~now]
        best = float(before.min()) if len(before) else None
        return "no progress" if self._stalled(losses[order].tolist(), best) else None

    def __call__(self, trials: Any, *state: Any) -> tuple[bool, list[Any]]:
        """(stop, state) for the trials so far; the state is not needed."""
        losses = np.array(trials.losses(), dtype=float)  # NaN for None
        status = np.array(trials.statuses())
        losses[(status != "ok") | np.isnan(losses)] = np.inf
        return self._stalled(losses[~np.isin(status, ("new", "running"))].tolist(), None), []

    def _stalled(self, losses: list[float], best: float | None) -> bool:
        """Whether the last `trials` losses brought no progress over those before, or over `best`;
        never by a first loss alone.
        """
        since = 0
        if best is None and losses:
            best, since, losses = losses[0], 1, losses[1:]
        if best is None or not losses:
            return False
        for loss in losses:
            margin = abs(best) * self.percent / 100 if np.isfinite(best) else 0.0
            best, since = (loss, 0) if loss < best - margin else (best, since + 1)
        return since >= self.trials


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


class EarlyStop(_Combinable):
    """Hyperopt's `early_stop_fn(trials, *state) -> (stop, state)` as a stopping rule.

    The function is called whenever trials have ended since its last call.

    Args:
        function: the user's function.
        trials: what it is called with.
        ended: how many trials have ended so far.
    """

    def __init__(self, function: Callable[..., Any], trials: Any, ended: int) -> None:
        self._function = function
        self._trials = trials
        self._state: list[Any] = []
        self._ended = ended

    def stop(self, history: View) -> str | None:
        """The reason to stop once the function says so."""
        ended = len(history) - int(history.pending.sum())
        if ended == self._ended:
            return None
        self._ended = ended
        answer = self._function(self._trials, *self._state)
        if isinstance(answer, (bool, np.bool_)):
            answer = (answer, self._state)
        if not (isinstance(answer, (tuple, list)) and len(answer) == 2 and _state_like(answer[1])):
            raise InvalidArgument(
                "early_stop_fn must return (stop, state): a bool, and the list of arguments "
                f"for its next call; got {answer!r}"
            )
        stop, self._state = answer[0], list(answer[1] or ())
        return "early stopping condition" if stop else None


def _state_like(state: Any) -> bool:
    return state is None or isinstance(state, (list, tuple))
