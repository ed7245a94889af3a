"""Callbacks. A callback is called with the result so far; if it returns True, the search ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.skopt.utils import check_callback, dump, load

__all__ = [
    "CheckpointSaver",
    "DeadlineStopper",
    "DeltaXStopper",
    "DeltaYStopper",
    "EarlyStopper",
    "HollowIterationsStopper",
    "StdStopper",
    "ThresholdStopper",
    "TimerCallback",
    "VerboseCallback",
    "check_callback",
]


class VerboseCallback:
    """Print a report after each evaluation.

    Args:
        n_total: number of evaluations in all.
        n_init: number of evaluations at points that the user gave (`x0`).
        n_random: number of evaluations at initial points.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        n_total: int,
        n_init: int = 0,
        n_random: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.n_total, self.n_init, self.n_random = n_total, n_init, n_random
        self.iter_no = 1
        self._clock = clock
        self._since = clock()

    def __call__(self, res: Any) -> None:
        """Print kind, duration and loss of the last evaluation, and the smallest loss so far."""
        now = self._clock()
        n = len(res.x_iters)
        kind = (
            "at a given point"
            if n <= self.n_init
            else (
                "at a random point" if n <= self.n_init + self.n_random else "at the best candidate"
            )
        )
        print(f"Iteration No: {n} ended. Evaluation done {kind}.")
        print(f"Time taken: {now - self._since:.4f}")
        print(f"Function value obtained: {res.func_vals[-1]:.4f}")
        print(f"Current minimum: {res.fun:.4f}")
        self.iter_no, self._since = n + 1, now


class TimerCallback:
    """Measure the time between calls.

    Attributes:
        iter_time: duration of each step in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._since = clock()
        self.iter_time: list[float] = []

    def __call__(self, res: Any) -> Any:
        """Record the time since the previous call."""
        now = self._clock()
        self.iter_time.append(now - self._since)
        self._since = now


class EarlyStopper:
    """Base class of stopping rules. Subclasses define `_criterion(result)`, which returns True to
    end the search, False to continue, and None if it is too early to decide.
    """

    def __call__(self, result: Any) -> bool | None:
        """Whether to end the search; None if it is too early to decide."""
        return self._criterion(result)

    def _criterion(self, result: Any) -> bool | None:
        raise NotImplementedError("a subclass of EarlyStopper must define _criterion(result)")


class DeltaXStopper(EarlyStopper):
    """End the search when the distance between the last two points is less than `delta`."""

    def __init__(self, delta: float) -> None:
        self.delta = delta

    def _criterion(self, result: Any) -> bool | None:
        if len(result.x_iters) < 2:
            return None
        return bool(result.space.distance(*result.x_iters[-2:]) < self.delta)


class DeltaYStopper(EarlyStopper):
    """End the search when the `n_best` smallest losses differ by less than `delta`."""

    def __init__(self, delta: float, n_best: int = 5) -> None:
        self.delta, self.n_best = delta, n_best

    def _criterion(self, result: Any) -> bool | None:
        if len(result.func_vals) < self.n_best:
            return None
        best = np.sort(result.func_vals)[: self.n_best]
        return bool(best[-1] - best[0] < self.delta)


class HollowIterationsStopper(EarlyStopper):
    """End the search when the last `n_iterations` evaluations have reduced the smallest loss by no
    more than `threshold`.
    """

    def __init__(self, n_iterations: int, threshold: float = 0) -> None:
        self.n_iterations, self.threshold = n_iterations, threshold

    def _criterion(self, result: Any) -> bool | None:
        if len(result.func_vals) <= self.n_iterations:
            return False
        before = np.min(result.func_vals[: -self.n_iterations])
        return bool(before - np.min(result.func_vals) <= self.threshold)


class DeadlineStopper(EarlyStopper):
    """End the search when the time left of `total_time`, in seconds, is at most the duration of the
    longest step.

    Attributes:
        iter_time: duration of each step in seconds.
    """

    def __init__(self, total_time: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.total_time = total_time
        self._timer = TimerCallback(clock)

    @property
    def iter_time(self) -> list[float]:
        """The duration of each step in seconds."""
        return self._timer.iter_time

    def _criterion(self, result: Any) -> bool | None:
        self._timer(result)
        return self.total_time - sum(self.iter_time) <= max(self.iter_time)


class ThresholdStopper(EarlyStopper):
    """End the search when a loss is at most `threshold`."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def _criterion(self, result: Any) -> bool | None:
        return bool(np.any(np.asarray(result.func_vals) <= self.threshold))


class StdStopper(EarlyStopper):
    """End the search when the losses that the last Gaussian process was fitted to have a standard
    deviation of at most `threshold`.

    Args:
        threshold: in the unit of the loss.
        log_interval: number of models after which the standard deviation is printed; 0: never.
    """

    def __init__(self, threshold: float, log_interval: int = 10) -> None:
        self.threshold, self.log_interval = threshold, log_interval

    def _criterion(self, result: Any) -> bool | None:
        n = len(result.models or [])
        if not n:
            return None
        sd = float(result.models[-1].y_train_std_)
        if self.log_interval and n % self.log_interval == 0:
            print(f"standard deviation of the losses: {sd:.4g}, threshold {self.threshold:.4g}")
        return sd <= self.threshold


class CheckpointSaver:
    """Write the result to a file after each evaluation. `load` returns the arguments that continue
    the search:

        gp_minimize(func, space, **CheckpointSaver("search.pkl").load())

    Args:
        checkpoint_path: the path of the file.
        dump_options: `store_objective`, and arguments for `joblib.dump` such as `compress`.
    """

    def __init__(self, checkpoint_path: Any, **dump_options: Any) -> None:
        self.checkpoint_path = checkpoint_path
        self.dump_options = dump_options

    def __call__(self, res: Any) -> None:
        """Write the result to the file."""
        dump(res, self.checkpoint_path, **self.dump_options)

    def load(self) -> dict[str, Any]:
        """Return the arguments x0, y0 and base_estimator for a minimizer."""
        res = load(self.checkpoint_path)
        args = res.specs["args"]
        return {
            "x0": res.x_iters,
            "y0": list(res.func_vals),
            "base_estimator": args.get("base_estimator"),
        }
