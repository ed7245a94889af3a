"""The seed and the stopping rules of a run of `fmin`."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from sparktune.arguments import numeric, positive, whole
from sparktune.errors import InvalidArgument, brief
from sparktune.stopping import (
    AnyOf,
    EarlyStop,
    LossThreshold,
    Never,
    Stopper,
    Timeout,
    no_progress_loss,
)
from sparktune.trials import Trials


def seed_of(seed: Any, rstate: Any = None) -> int:
    """The seed of a run, from `seed`, `rstate` or the environment variable HYPEROPT_FMIN_SEED; else
    a random one.

    Raises:
        InvalidArgument: both arguments are given, or the value is neither an integer >= 0 nor a
            numpy random generator.
    """
    if seed is not None and rstate is not None:
        raise InvalidArgument("give either seed= (an integer) or rstate=, not both")
    given = rstate if seed is None else seed
    if given is None:
        given = os.environ.get("HYPEROPT_FMIN_SEED") or None
        given = np.random.SeedSequence().entropy if given is None else _seed_in_environment(given)
    if isinstance(given, np.random.Generator):
        return int(given.integers(2**31 - 1))
    if isinstance(given, np.random.RandomState):
        return int(given.randint(2**31 - 1))
    try:
        return whole("seed", given, 0)
    except InvalidArgument:
        raise InvalidArgument(
            "seed must be an integer >= 0; rstate may also be a numpy Generator or "
            f"RandomState; got {brief(given)}"
        ) from None


def _seed_in_environment(text: str) -> int:
    if not text.isdigit():
        raise InvalidArgument(
            "the environment variable HYPEROPT_FMIN_SEED must be an integer >= 0, "
            f"got {brief(text)}"
        )
    return int(text)


def stopper_of(trials: Trials, timeout: Any, loss_threshold: Any, early_stop_fn: Any) -> Stopper:
    """The stopping rule of `timeout`, `loss_threshold` and `early_stop_fn`."""
    return time_and_loss(trials, timeout, loss_threshold) | _early_stop(early_stop_fn, trials)


def time_and_loss(trials: Trials, timeout: Any = None, loss_threshold: Any = None) -> AnyOf:
    """The stopping rule of `timeout` and `loss_threshold`. The limits of the trials object take
    precedence over those of the call.
    """
    seconds, threshold = positive("timeout", timeout), numeric("loss_threshold", loss_threshold)
    for name, ours, theirs in (
        ("timeout", trials.timeout, seconds),
        ("loss_threshold", trials.loss_threshold, threshold),
    ):
        if ours is not None and theirs is not None and ours != theirs:
            warnings.warn(
                f"{name} is given to both fmin ({theirs:g}) and {type(trials).__name__} "
                f"({ours:g}); {ours:g} is used",
                stacklevel=3,
            )
    seconds = seconds if trials.timeout is None else trials.timeout
    threshold = threshold if trials.loss_threshold is None else trials.loss_threshold
    return AnyOf(
        Never() if threshold is None else LossThreshold(threshold),
        Never() if seconds is None else Timeout(seconds),
    )


def _early_stop(rule: Any, trials: Trials) -> Stopper:
    if rule is None:
        return Never()
    if rule is no_progress_loss:
        raise InvalidArgument(
            "early_stop_fn is no_progress_loss itself; call it, as in no_progress_loss(20)"
        )
    if hasattr(rule, "stop"):
        stopper: Stopper = rule
        return stopper
    if callable(rule):
        return EarlyStop(rule, trials)
    raise InvalidArgument(
        f"early_stop_fn must be no_progress_loss(...), a stopping rule, or a function "
        f"(trials, *state) -> (stop, state), got {rule!r}"
    )
