"""What a study shows whose configurations have evaluations with several budgets."""

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

_PAIRS = 3  # configurations from which on a correlation is shown


@dataclass(frozen=True, slots=True)
class Rung:
    """The evaluations with one budget that have ended, cancelled ones left out.

    budget       in the units of the scheduler
    evaluations  how many there are
    usable       how many have a finite loss
    spent        what they took, in full evaluations
    pairs        configurations with a finite loss here and at the largest budget
    correlation  Spearman's, of their losses here and there; NaN for fewer than three
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
    """The rungs of a study, smallest budget first; none where all trials have the same budget."""
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
    """The rungs as rows of text, the first one with the names of the columns."""
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
    """Losses against budgets, a line for each of m configurations.

    budget    m times (k,)  the budgets at which a configuration has a finite loss, growing
    loss      m times (k,)  the losses there
    explored  (m,)  whether it climbed whatever its losses were
    best      number of the configuration of the best trial
    rungs     the budgets of all
    """

    budget: Sequence[Array]
    loss: Sequence[Array]
    explored: Sequence[bool]
    best: int
    rungs: Array


def curves(trials: Finished) -> Curves:
    """Losses against budgets.

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
