"""Rungs of a study with several budgets: statistics of each budget, and losses over budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.history import CODES, View
from sparktune.ranks import rank_correlation
from sparktune.results.finished import Finished
from sparktune.results.series import Array, records
from sparktune.trial import Status

_PAIRS = 3  # smallest number of configurations for a correlation


@dataclass(frozen=True, slots=True)
class Rung:
    """The evaluations with one budget that have ended, without cancelled ones.

    budget       in the units of the scheduler
    evaluations  number of evaluations
    usable       number of evaluations with a finite loss
    spent        sum of the budgets that they used, in full evaluations
    pairs        number of configurations with a finite loss at this and at the largest budget
    correlation  Spearman's correlation of these pairs of losses; NaN for fewer than three
    """

    budget: float
    evaluations: int
    usable: int
    spent: float
    pairs: int
    correlation: float


def has_rungs(trials: Finished) -> bool:
    """Whether trials have different budgets."""
    return len({trial.budget for trial in trials.records.values()}) > 1


def rungs(trials: Finished) -> list[Rung]:
    """The rungs of a study, smallest budget first; empty if all trials have the same budget."""
    if not has_rungs(trials):
        return []
    view = _view(trials)
    ended = ~view.pending & (view.status != CODES[Status.CANCELLED])
    usable = view.ok & np.isfinite(view.loss)
    budgets = np.unique(view.budget)
    full = trials.header.ladder[-1] if trials.header and trials.header.ladder else budgets[-1]
    losses = np.full((len(budgets), len(view)), np.nan)
    losses[np.searchsorted(budgets, view.budget[usable]), view.root[usable]] = view.loss[usable]
    told = np.isfinite(losses)
    top = losses[np.flatnonzero(told.any(axis=1)).max(initial=0)]
    made = []
    for budget, row in zip(budgets, losses, strict=True):
        here = ended & (view.budget == budget)
        both = np.isfinite(row) & np.isfinite(top)
        pairs = int(both.sum())
        rho = rank_correlation(row[both], top[both]) if pairs >= _PAIRS else float("nan")
        spent = float(view.spent[here].sum()) / full
        numbers = int(here.sum()), int((here & usable).sum())
        made.append(Rung(float(budget), *numbers, spent, pairs, rho))
    return made


def rung_table(trials: Finished) -> list[list[str]]:
    """The rungs as rows of text; the first row names the columns."""
    found = rungs(trials)
    rows = [["budget", "evaluations", "with a loss", "full evaluations", "rank correlation"]]
    for rung in found:
        correlation = f"{rung.correlation:.2f} of {rung.pairs}" if rung is not found[-1] else ""
        shown = correlation if rung.pairs >= _PAIRS else ""
        counts = str(rung.evaluations), str(rung.usable)
        rows.append([f"{rung.budget:g}", *counts, f"{rung.spent:.1f}", shown])
    return rows


@dataclass(frozen=True, slots=True)
class Curves:
    """Losses over budgets, one curve for each of m configurations.

    budget    m times (k,)  the budgets at which the configuration has a finite loss, ascending
    loss      m times (k,)  the losses at these budgets
    explored  (m,)  whether the scheduler promoted the configuration regardless of its losses
    best      index of the configuration of the best trial
    rungs     all budgets, ascending
    """

    budget: Sequence[Array]
    loss: Sequence[Array]
    explored: Sequence[bool]
    best: int
    rungs: Array


def curves(trials: Finished) -> Curves:
    """The losses of each configuration over its budgets.

    Raises:
        InvalidArgument: all trials have the same budget, or none has a finite loss.
    """
    if not has_rungs(trials):
        raise InvalidArgument("nothing to plot: all trials have the same budget")
    view = _view(trials)
    usable = view.ok & np.isfinite(view.loss)
    if not usable.any():
        raise InvalidArgument(f"nothing to plot: none of {len(view)} trials has a finite loss")
    roots = np.unique(view.root[usable])
    rows = [np.flatnonzero(usable & (view.root == root)) for root in roots]
    ends = view.ends
    best = view.root[ends.row[np.argmin(ends.loss)]]
    return Curves(
        [view.budget[row] for row in rows],
        [view.loss[row] for row in rows],
        [bool(view.explore[root]) for root in roots],
        int(np.searchsorted(roots, best)),
        np.unique(view.budget[usable]),
    )


def _view(trials: Finished) -> View:
    chosen = records(trials)
    return View.of(chosen, np.empty((len(chosen), 0)))
