"""Nodes, `scope`, and the evaluation of expressions."""

from sparktune.hyperopt._evaluation import rec_eval, toposort
from sparktune.space.evaluation import clone, dfs
from sparktune.space.expression import Apply, Literal, MissingArgument, as_apply, scope
from sparktune.space.expression import Scope as SymbolTable

__all__ = [
    "Apply",
    "Literal",
    "MissingArgument",
    "SymbolTable",
    "as_apply",
    "clone",
    "dfs",
    "rec_eval",
    "scope",
    "toposort",
]
