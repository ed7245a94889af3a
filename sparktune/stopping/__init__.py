"""Stopping rules: `stop(history)` returns the reason to stop now, or None.

    from sparktune.stopping import NoProgress, RemainingImprovement, Timeout

    fmin(..., early_stop_fn=Timeout(3600) | NoProgress(50) & RemainingImprovement(0.001))

`|` stops when either rule does, `&` when both do. Each rule is also a function `(trials, *state) ->
(stop, state)`, and works as the `early_stop_fn` of Hyperopt's own `fmin`.

A rule also says when it may next change its mind without a new result (`wake_at`), so that a run
can sleep until then. Trials that still run when a rule stops the run are cancelled.

    rules      what a rule is, and how rules combine
    limits     numbers of trials, budgets, time, a loss
    progress   no more progress, or little to be expected
    function   a user's function as a rule
    documents  trials as the history that rules read
"""

from sparktune.stopping.function import EarlyStop
from sparktune.stopping.limits import LossThreshold, MaxBudget, MaxEvals, Timeout
from sparktune.stopping.progress import (
    NoProgress,
    NoProgressFor,
    RemainingImprovement,
    no_progress_loss,
)
from sparktune.stopping.rules import AllOf, AnyOf, Never, Stopper

__all__ = [
    "AllOf",
    "AnyOf",
    "EarlyStop",
    "LossThreshold",
    "MaxBudget",
    "MaxEvals",
    "Never",
    "NoProgress",
    "NoProgressFor",
    "RemainingImprovement",
    "Stopper",
    "Timeout",
    "no_progress_loss",
]
