"""Schedulers decide what is evaluated next, and with which budget: `schedule(history, free) -> work
items`. They are pure functions: equal histories give equal work.

    work      the protocol of schedulers, and the work items that they return
    asha      asynchronous successive halving: few configurations get the full budget
    folds     cross-validation fold by fold, which stops configurations that are clearly worse
    full      a full evaluation for every trial
    in_order  a wrapper of a scheduler that makes the trials independent of the timing

    rungs     budgets that grow by a factor, and the ranks of evaluations at each
    trust     whether losses at a small budget predict those at the full one
    growth    the height of a ladder that begins with two rungs
    view      the history as samplers see it: one row for each configuration
"""

from sparktune.schedulers.asha import ASHA, Hyperband
from sparktune.schedulers.folds import Folds
from sparktune.schedulers.full import FullBudget
from sparktune.schedulers.in_order import InOrder
from sparktune.schedulers.work import (
    New,
    Promote,
    Scheduler,
    checked,
    finalists,
    full_budget,
    ladder,
    scores,
)

__all__ = [
    "ASHA",
    "Folds",
    "FullBudget",
    "Hyperband",
    "InOrder",
    "New",
    "Promote",
    "Scheduler",
    "checked",
    "finalists",
    "full_budget",
    "ladder",
    "scores",
]
