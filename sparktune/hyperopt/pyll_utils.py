"""The conditions of the parameters of a space, and the functions of `hp` under older names."""

from sparktune.errors import DuplicateLabel
from sparktune.hyperopt._conditions import EQ, Cond, expr_to_config
from sparktune.space.expression import Apply, Literal, MissingArgument, as_apply, scope
from sparktune.space.hp import choice as hp_choice
from sparktune.space.hp import lognormal as hp_lognormal
from sparktune.space.hp import loguniform as hp_loguniform
from sparktune.space.hp import normal as hp_normal
from sparktune.space.hp import pchoice as hp_pchoice
from sparktune.space.hp import qlognormal as hp_qlognormal
from sparktune.space.hp import qloguniform as hp_qloguniform
from sparktune.space.hp import qnormal as hp_qnormal
from sparktune.space.hp import quniform as hp_quniform
from sparktune.space.hp import randint as hp_randint
from sparktune.space.hp import uniform as hp_uniform
from sparktune.space.hp import uniformint as hp_uniformint

__all__ = [
    "EQ",
    "Apply",
    "Cond",
    "DuplicateLabel",
    "Literal",
    "MissingArgument",
    "as_apply",
    "expr_to_config",
    "hp_choice",
    "hp_lognormal",
    "hp_loguniform",
    "hp_normal",
    "hp_pchoice",
    "hp_qlognormal",
    "hp_qloguniform",
    "hp_qnormal",
    "hp_quniform",
    "hp_randint",
    "hp_uniform",
    "hp_uniformint",
    "scope",
]
