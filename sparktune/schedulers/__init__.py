"""Schedulers decide what is evaluated next, and with which budget: `schedule(history, free) -> work
items`. They are pure: equal histories give equal work.

    work      what a scheduler is, and what it hands out
    asha      asynchronous successive halving: few configurations get the full budget
    folds     cross-validation fold by fold, without those that are clearly worse
    full      every trial is a full evaluation
    in_order  around another scheduler: trials that do not depend on the timing

    rungs     budgets that grow by a factor, and the ranks of evaluations at each
    trust     whether losses at a small budget predict those at the full one
    growth    the height of a ladder that begins with two rungs
    view      what samplers see where configurations have several evaluations
"""

from sparktune.schedulers.asha import ASHA, Hyperband
from sparktune.schedulers.folds import Folds
from sparktune.schedulers.full import FullBudget
from sparktune.schedulers.in_order import InOrder
from sparktune.schedulers.work import New, Promote, Scheduler, checked, full_budget, ladder, scores

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
    "full_budget",
    "ladder",
    "scores",
]
