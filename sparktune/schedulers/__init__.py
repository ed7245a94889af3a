"""Schedulers decide what is evaluated next, and with which budget: `schedule(history, free) -> work
items`. They are pure: equal histories give equal work.

    work      what a scheduler is, and what it hands out
    full      every trial is a full evaluation
    in_order  around another scheduler: trials that do not depend on the timing
"""

from sparktune.schedulers.full import FullBudget
from sparktune.schedulers.in_order import InOrder
from sparktune.schedulers.work import New, Promote, Scheduler, full_budget, ladder, scores

__all__ = [
    "FullBudget",
    "InOrder",
    "New",
    "Promote",
    "Scheduler",
    "full_budget",
    "ladder",
    "scores",
]
