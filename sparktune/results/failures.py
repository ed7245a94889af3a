"""Failed trials grouped by cause, and the region of the space in which trials fail.

Notation:

    failed    (n,)  mask of the trials that failed, among n that succeeded or failed
    inside    (n,)  mask of the trials in a region
    G         likelihood ratio statistic of the table failed x inside, chi-squared with one degree
              of freedom where failures do not depend on the region
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparktune.results.cells import error, number
from sparktune.results.finished import Finished
from sparktune.results.scales import Scale
from sparktune.results.series import Columns, columns_of
from sparktune.trial import Status, Trial

Mask = NDArray[np.bool_]
_THRESHOLDS = 15  # bounds to test for one parameter
_LEAST = 5  # smallest number of failures in a region
_CHANCE = 0.01  # probability of reporting a region if failures do not depend on the values


@dataclass(frozen=True, slots=True)
class Group:
    """Trials that failed with the same status and message; `message` is that of the first."""

    status: Status
    message: str
    trials: Sequence[Trial]


def groups(trials: Finished) -> list[Group]:
    """Failed trials grouped by status and message, the largest group first. Messages that differ
    only in numbers count as equal.
    """
    found: dict[tuple[Status, str], list[Trial]] = {}
    for trial in trials.records.values():
        if trial.status is not Status.OK and not trial.status.pending:
            message = re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "#", error(trial) or "")
            found.setdefault((trial.status, message), []).append(trial)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return [Group(status, error(each[0]) or "", each) for (status, _), each in ordered]


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the space in which trials fail.

    text      the bound that describes it, such as "lr > 0.1"
    failed    number of failed trials inside
    trials    number of trials inside
    outside   share of failed trials outside, from 0 to 1
    """

    text: str
    failed: int
    trials: int
    outside: float


def region(study: Columns, scales: Sequence[Scale], failed: Mask) -> Region | None:
    """The region in which at least half of the trials fail, and at least twice the share outside.
    None if no single bound of one parameter gives such a region, or if it may be due to chance.

    Args:
        study: the n trials that succeeded or failed.
        scales: the scales of the parameters to search.
        failed: (n,) mask of the trials that failed.
    """
    candidates = [
        (text, inside) for scale in scales for text, inside in _regions(study, scale) if any(inside)
    ]
    best: Region | None = None
    highest = 0.0
    for text, inside in candidates:
        within, out = failed[inside], failed[~inside]
        outside = float(out.mean()) if len(out) else 1.0
        share = float(within.mean())
        if within.sum() < _LEAST or share < 0.5 or share < 2 * outside:
            continue
        statistic = _G(failed, inside)
        chance = math.erfc(math.sqrt(statistic / 2)) * len(candidates)
        if statistic > highest and chance < _CHANCE:
            highest = statistic
            best = Region(text, int(within.sum()), len(within), outside)
    return best


def _regions(study: Columns, scale: Scale) -> Iterator[tuple[str, Mask]]:
    """For each bound of a parameter: its text, and the mask of the trials inside."""
    column = study.values[scale.label]
    active = column[~np.isnan(column)]
    if scale.options:
        for option in np.unique(active):
            name = scale.options[int(option)] if option < len(scale.options) else number(option)
            yield f"{scale.label} = {name}", column == option
        return
    steps = np.linspace(0, 1, _THRESHOLDS + 2)[1:-1]
    for bound in np.unique(np.quantile(active, steps, method="lower")) if len(active) else ():
        yield f"{scale.label} > {number(float(bound))}", column > bound
        yield f"{scale.label} <= {number(float(bound))}", column <= bound


def _G(failed: Mask, inside: Mask) -> float:
    n = len(failed)
    total = 0.0
    for row in (failed, ~failed):
        for part in (inside, ~inside):
            count = int(np.sum(row & part))
            expected = float(row.sum()) * float(part.sum()) / n
            total += 2 * count * math.log(count / expected) if count else 0.0
    return total


def where(trials: Finished, scales: Sequence[Scale]) -> Region | None:
    """The `region` in which the trials of a study fail; cancelled trials are ignored."""
    chosen = [
        trial
        for trial in trials.records.values()
        if not trial.status.pending and trial.status is not Status.CANCELLED
    ]
    failed = np.array([trial.status is not Status.OK for trial in chosen], dtype=bool)
    return region(columns_of(trials, chosen), scales, failed) if failed.any() else None
