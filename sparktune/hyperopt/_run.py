"""A run on trials with Hyperopt's interface: the common part of `fmin` and `Trials.fmin`."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune import minimize
from sparktune.annotated import annotated
from sparktune.errors import AllTrialsFailed
from sparktune.hyperopt._algorithms import Foreign, sampler_of, takes_documents
from sparktune.saved_trials import trials_of


def run(
    trials: Any,
    fn: Callable[..., Any],
    space: Any,
    *,
    algo: Any,
    max_evals: Any,
    rstate: Any,
    return_argmin: bool,
    max_queue_len: int,
    trials_save_file: str,
    **options: Any,
) -> Any:
    """Call `sparktune.fmin` on these trials, with the same random numbers as in Hyperopt. The
    arguments are those of `fmin`.
    """
    if rstate is None and os.environ.get("HYPEROPT_FMIN_SEED", "").isdigit():
        rstate = np.random.default_rng(int(os.environ["HYPEROPT_FMIN_SEED"]))
    ours, limit = takes_documents(trials), _whole(max_evals)
    if ours:
        trials = trials_of(trials, trials_save_file)
    sampler = sampler_of(algo, fn, space, trials, rstate, max_queue_len)
    if ours:
        put_in = _take_in(trials)
        limit = limit + put_in if isinstance(limit, int) else limit
    try:
        best = minimize.fmin(
            fn,
            space,
            algo=sampler,
            max_evals=limit,
            trials=trials,
            rstate=copy.deepcopy(rstate) if isinstance(sampler, Foreign) else rstate,
            max_queue_len=max_queue_len,
            trials_save_file=trials_save_file,
            **options,
        )
    except AllTrialsFailed:
        if return_argmin or len(trials):
            raise
        return None
    best = trials.argmin if ours else best  # a user's subclass may override argmin
    if return_argmin:
        return best
    return minimize.space_eval(annotated(fn)[1] if isinstance(space, str) else space, best)


def _whole(number: Any) -> Any:
    """Convert a whole float such as 1e2 to an int, because Hyperopt accepts it as max_evals."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _take_in(trials: Any) -> int:
    """Refresh the trials; returns the number of trials that were inserted before."""
    before = len(trials)
    trials.refresh()
    return len(trials) - before
