"""Search spaces as expressions: nodes, `scope`, which makes nodes, and their evaluation."""

from sparktune.hyperopt.pyll import base, stochastic
from sparktune.hyperopt.pyll.base import (
    Apply,
    Literal,
    as_apply,
    clone,
    dfs,
    rec_eval,
    scope,
    toposort,
)

__all__ = [
    "Apply",
    "Literal",
    "as_apply",
    "base",
    "clone",
    "dfs",
    "rec_eval",
    "scope",
    "stochastic",
    "toposort",
]
