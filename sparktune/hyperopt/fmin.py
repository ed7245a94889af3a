"""`fmin` and what stands around it."""

from sparktune.hyperopt._minimize import (
    FMinIter,
    fmin,
    fmin_pass_expr_memo_ctrl,
    generate_trial,
    generate_trials_to_calculate,
    partial,
    space_eval,
)

__all__ = [
    "FMinIter",
    "fmin",
    "fmin_pass_expr_memo_ctrl",
    "generate_trial",
    "generate_trials_to_calculate",
    "partial",
    "space_eval",
]
