"""`fmin` and related functions."""

from sparktune.hyperopt._minimize import (
    FMinIter,
    fmin,
    fmin_pass_expr_memo_ctrl,
    generate_trial,
    generate_trials_to_calculate,
    partial,
    space_eval,
)
from sparktune.hyperopt._utilities import coarse_utcnow

__all__ = [
    "FMinIter",
    "coarse_utcnow",
    "fmin",
    "fmin_pass_expr_memo_ctrl",
    "generate_trial",
    "generate_trials_to_calculate",
    "partial",
    "space_eval",
]
