"""`base_minimize`, which all minimizers call. It translates its arguments for `sparktune.tune`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparktune.arguments import whole
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.events import Begun, Event, Told
from sparktune.executors.platforms import Platform, Serial
from sparktune.history import View
from sparktune.skopt.callbacks import VerboseCallback
from sparktune.skopt.optimizer.optimizer import Optimizer
from sparktune.skopt.space import Space
from sparktune.skopt.utils import (
    check_callback,
    check_x_in_space,
    eval_callbacks,
    is_2Dlistlike,
    is_listlike,
)
from sparktune.trial import Status
from sparktune.tuning import tune


def base_minimize(
    func: Callable[[list[Any]], Any],
    dimensions: Any,
    base_estimator: Any,
    n_calls: int = 100,
    n_random_starts: int | None = None,
    n_initial_points: int = 10,
    initial_point_generator: Any = "random",
    acq_func: str = "EI",
    acq_optimizer: str = "lbfgs",
    x0: Any = None,
    y0: Any = None,
    random_state: Any = None,
    verbose: bool = False,
    callback: Any = None,
    n_points: int = 10000,
    n_restarts_optimizer: int = 5,
    xi: float = 0.01,
    kappa: Any = 1.96,
    n_jobs: int = 1,
    model_queue_size: int | None = None,
    space_constraint: Callable[[list[Any]], bool] | None = None,
    *,
    on: Platform | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> Any:
    """Minimise a function of a list.

    Args:
        func: called with a point, which is a list, and returns its loss, or (loss, seconds) for
            "EIps" and "PIps". NaN or an infinite loss means that the evaluation failed.
        dimensions: the search space, as for `Space`.
        base_estimator, n_random_starts, n_initial_points, initial_point_generator, acq_func,
            acq_optimizer, random_state, n_jobs, model_queue_size, space_constraint: as for
            `Optimizer`.
        n_calls: number of evaluations, including those at `x0` unless `y0` is given.
        x0: a point, or a list of points, to evaluate first.
        y0: the loss or losses at `x0`, if they are known.
        verbose: whether to print a report after each evaluation.
        callback: a function, or a list of functions, called with the result after each evaluation.
            If one returns True, the search ends.
        n_points, n_restarts_optimizer: ignored.
        xi, kappa: options of the acquisition functions.
        on: where evaluations run, such as `Spark(parallelism=8)` or `Threads(4)`; an evaluation
            that raises an exception is then recorded as failed. None: one after another in this
            process; an exception ends the search.
        journal: path of a file that records every evaluation. The same call with the same path
            continues the search.

    Returns:
        A `scipy.optimize.OptimizeResult` as `create_result` describes it, with evaluations in the
        order in which they ended, and with the `sparktune.Study` as `study`.

    Raises:
        ValueError: an argument is invalid, or func does not return a number.
        RuntimeError: a point of `x0` has a different number of values than the space.
        AllTrialsFailed: no evaluation returned a finite loss.
    """
    specs = {"args": {**locals()}, "function": "base_minimize"}
    if n_random_starts is not None:
        warnings.warn(
            "n_random_starts is deprecated; use n_initial_points", DeprecationWarning, stacklevel=3
        )
        n_initial_points = n_random_starts
    n_calls = whole("n_calls", n_calls, 0)
    points, losses = _initial(x0, y0, Space(dimensions))
    _check_calls(n_calls, n_initial_points, len(points), losses)
    callbacks = check_callback(callback)
    if verbose:
        new = len(points) if losses is None else 0
        callbacks = [*callbacks, VerboseCallback(n_calls, new, n_initial_points)]
    optimizer = Optimizer(
        dimensions,
        base_estimator,
        n_initial_points=n_initial_points + len(points),
        initial_point_generator=initial_point_generator,
        n_jobs=n_jobs,
        acq_func=acq_func,
        acq_optimizer=acq_optimizer,
        random_state=random_state,
        model_queue_size=model_queue_size,
        space_constraint=space_constraint,
        acq_func_kwargs={"xi": xi, "kappa": kappa},
    )
    optimizer.specs = specs
    follower = Follower(optimizer, callbacks)
    if losses is not None:
        optimizer.tell(points, losses)
        if eval_callbacks(callbacks, optimizer.get_result()):
            return _result(optimizer)
        points = []
    follower.block = len(points)
    _run(func, optimizer, follower, points, n_calls, on, journal)
    return _result(optimizer)


def _run(
    func: Any,
    optimizer: Optimizer,
    follower: Follower,
    points: Sequence[Any],
    n_calls: int,
    on: Platform | None,
    journal: Any,
) -> None:
    bridge, study = optimizer.bridge, optimizer.study
    for point in points:
        check_x_in_space(point, optimizer.space)
    tune(
        bridge.listed(func, optimizer.timed),
        study.space,
        study=study,
        on=Serial() if on is None else on,
        max_trials=len(study.records) + n_calls - len(points),
        stop=follower,
        start=[bridge.values(point) for point in points],
        journal=journal,
        observers=[follower],
        errors="raise" if on is None else "record",
        progress=False,
    )
    if follower.error is not None:
        raise follower.error


def _result(optimizer: Optimizer) -> Any:
    """Return the result of a search.

    Raises:
        AllTrialsFailed: no evaluation returned a finite loss.
    """
    result = optimizer.get_result()
    if not np.isfinite(result.func_vals).any():
        raised = [
            trial.failure
            for trial in optimizer.study.records.values()
            if trial.failure and trial.status is not Status.FAIL
        ]
        last = f"the last one raised {raised[-1]}" if raised else "func returned NaN or infinity"
        raise AllTrialsFailed(
            f"none of {len(result.func_vals)} evaluations returned a finite loss; {last}"
        )
    result.study = optimizer.study
    return result


@dataclass(eq=False)
class Follower:
    """An observer and stopping rule for `tune`. It adds evaluations to the optimizer, calls the
    callbacks, and stops the run if a callback returns True or raises an exception, which is kept as
    `error`. Callbacks are called once for the first `block` evaluations together.
    """

    optimizer: Optimizer
    callbacks: list[Callable[[Any], Any]]
    block: int = 0
    stopped: bool = False
    error: BaseException | None = None
    _ended: int = field(default=0, init=False)

    def __call__(self, event: Event, history: View) -> None:
        """Handle an event of the run."""
        if isinstance(event, Begun):
            self._replayed()
        if not isinstance(event, Told) or not self.optimizer.take(event.trial):
            return
        self._ended += 1
        if self._ended < self.block or self.stopped:
            return
        result = self.optimizer.refresh()
        try:
            self.stopped = eval_callbacks(self.callbacks, result)
        except Exception as error:
            self.stopped, self.error = True, error

    def _replayed(self) -> None:
        """Add the evaluations that were read from a journal."""
        records = self.optimizer.study.records.values()
        if any([self.optimizer.take(trial) for trial in records]):
            self.block = 0
            self.optimizer.refresh()
            self.optimizer.sampler.catch_up(self.optimizer.study.history)

    def stop(self, history: View) -> str | None:
        """Return why the run stops; None: it continues."""
        return "a callback ended the search" if self.stopped else None

    def wake_at(self, history: View) -> float:
        """Return the time of the next check: never, because only an evaluation can stop the run."""
        return float("inf")


def _initial(x0: Any, y0: Any, space: Space) -> tuple[list[Any], list[Any] | None]:
    """Return the points `x0` and the losses `y0` as lists; None if there are no losses.

    Raises:
        ValueError: x0 is not a list, or x0 and y0 have different lengths.
        RuntimeError: a point has a different number of values than the space.
    """
    if x0 is None:
        points: list[Any] = []
    elif not is_listlike(x0):
        raise InvalidArgument(f"`x0` should be a list, got {x0!r}")
    else:
        points = list(x0) if len(x0) and is_2Dlistlike(x0) else [x0] if len(x0) else []
    if any(len(point) != len(space) for point in points):
        raise RuntimeError(
            f"Optimization space ({space}) and initial points in x0 use inconsistent dimensions."
        )
    if y0 is None:
        return points, None
    losses = list(y0) if isinstance(y0, Iterable) else [y0]
    if not points:
        raise InvalidArgument("`x0` cannot be `None` when `y0` is provided")
    if len(points) != len(losses):
        raise InvalidArgument(
            f"`x0` and `y0` should have the same length, got {len(points)} and {len(losses)}"
        )
    return points, losses


def _check_calls(n_calls: int, n_initial: int, given: int, losses: Any) -> None:
    """Check that n_calls allows for the initial points.

    Raises:
        ValueError: there are no initial points, or there are more than n_calls.
    """
    if n_initial <= 0 and not given:
        raise InvalidArgument("Either set `n_initial_points` > 0, or provide `x0`")
    required = n_initial + (given if losses is None else 0)
    if n_calls < required:
        raise InvalidArgument(f"Expected `n_calls` >= {required}, got {n_calls}")
