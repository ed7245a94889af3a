"""Stopping rules: `stop(history)` returns the reason to stop now, or None.

    from sparktune.stopping import NoProgress, RemainingImprovement, Timeout

    tune(..., stop=Timeout(3600) | NoProgress(50) & RemainingImprovement(0.001))

`a | b` stops when either rule does, `a & b` when both do. Each rule is also a function `(trials,
*state) -> (stop, state)`, and works as the `early_stop_fn` of Hyperopt's own `fmin`.

A rule also tells when its answer may change without a new result (`wake_at`), so that a run can
sleep until then. Trials that still run when a rule stops the run are cancelled.

    rules      the protocol of rules, and their combinations
    limits     limits of the number of trials, the budget, the time, or the loss
    progress   no improvement for some time, or little improvement expected
    function   a user's function as a rule
    documents  the history that rules read, from Hyperopt's documents
"""

from sparktune.stopping.function import EarlyStop
from sparktune.stopping.limits import LossThreshold, MaxBudget, MaxEvals, Timeout
from sparktune.stopping.progress import (
    NoProgress,
    NoProgressFor,
    RemainingImprovement,
    no_progress_loss,
)
from sparktune.stopping.rules import AllOf, AnyOf, Never, Stopper, wake_at

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
    "wake_at",
]
