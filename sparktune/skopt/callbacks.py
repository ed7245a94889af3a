"""Callbacks: functions of the result so far, of which one that returns True ends the search."""

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
    """Prints each step.

    Args:
        n_total: evaluations.
        n_init: of these, at points that were given.
        n_random: of these, at initial points.
        clock: returns seconds.
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
        """Print what the last step was."""
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
    """Takes the time between calls.

    Attributes:
        iter_time: seconds of each step.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._since = clock()
        self.iter_time: list[float] = []

    def __call__(self, res: Any) -> Any:
        """Note how long the last step took."""
        now = self._clock()
        self.iter_time.append(now - self._since)
        self._since = now


class EarlyStopper:
    """A rule that ends the search: True, False, or None where it is too early to tell."""

    def __call__(self, result: Any) -> bool | None:
        """Whether to end."""
        return self._criterion(result)

    def _criterion(self, result: Any) -> bool | None:
        raise NotImplementedError("the rule of an EarlyStopper is its method _criterion(result)")


class DeltaXStopper(EarlyStopper):
    """Ends when the last two points are nearer to each other than `delta`."""

    def __init__(self, delta: float) -> None:
        self.delta = delta

    def _criterion(self, result: Any) -> bool | None:
        if len(result.x_iters) < 2:
            return None
        return bool(result.space.distance(*result.x_iters[-2:]) < self.delta)


class DeltaYStopper(EarlyStopper):
    """Ends when the `n_best` smallest losses are nearer to each other than `delta`."""

    def __init__(self, delta: float, n_best: int = 5) -> None:
        self.delta, self.n_best = delta, n_best

    def _criterion(self, result: Any) -> bool | None:
        if len(result.func_vals) < self.n_best:
            return None
        best = np.sort(result.func_vals)[: self.n_best]
        return bool(best[-1] - best[0] < self.delta)


class HollowIterationsStopper(EarlyStopper):
    """Ends when the smallest loss has become smaller by no more than `threshold` in the last
    `n_iterations`.
    """

    def __init__(self, n_iterations: int, threshold: float = 0) -> None:
        self.n_iterations, self.threshold = n_iterations, threshold

    def _criterion(self, result: Any) -> bool | None:
        if len(result.func_vals) <= self.n_iterations:
            return False
        before = np.min(result.func_vals[: -self.n_iterations])
        return bool(before - np.min(result.func_vals) <= self.threshold)


class DeadlineStopper(EarlyStopper):
    """Ends when the time that is left of `total_time` seconds is not longer than the longest step.

    Attributes:
        iter_time: seconds of each step.
    """

    def __init__(self, total_time: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.total_time = total_time
        self._timer = TimerCallback(clock)

    @property
    def iter_time(self) -> list[float]:
        """Seconds of each step."""
        return self._timer.iter_time

    def _criterion(self, result: Any) -> bool | None:
        self._timer(result)
        return self.total_time - sum(self.iter_time) <= max(self.iter_time)


class ThresholdStopper(EarlyStopper):
    """Ends when a loss is not larger than `threshold`."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def _criterion(self, result: Any) -> bool | None:
        return bool(np.any(np.asarray(result.func_vals) <= self.threshold))


class StdStopper(EarlyStopper):
    """Ends when the standard deviation of the losses that a Gaussian process was fitted to is not
    larger than `threshold`.

    Args:
        log_interval: after so many steps it is printed; 0 for never.
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
    """Writes the result to a file after each step; `load` reads what continues the search:

        gp_minimize(func, space, **CheckpointSaver("search.pkl").load())

    Args:
        checkpoint_path: of the file.
        dump_options: for `joblib.dump`, such as `compress`, and `store_objective`.
    """

    def __init__(self, checkpoint_path: Any, **dump_options: Any) -> None:
        self.checkpoint_path = checkpoint_path
        self.dump_options = dump_options

    def __call__(self, res: Any) -> None:
        """Write the result."""
        dump(res, self.checkpoint_path, **self.dump_options)

    def load(self) -> dict[str, Any]:
        """x0, y0 and base_estimator for a minimizer."""
        res = load(self.checkpoint_path)
        args = res.specs["args"]
        return {
            "x0": res.x_iters,
            "y0": list(res.func_vals),
            "base_estimator": args.get("base_estimator"),
        }
