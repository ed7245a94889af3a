"""The trials that can be compared, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune import history
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.results.finished import Finished
from sparktune.trial import Status, Trial


def comparable(trials: Iterable[Trial]) -> list[Trial]:
    """The trials whose losses can be compared, see `history.comparable`. Each trial must come after
    the one that it continues.
    """
    given = [*trials]
    usable = np.array([trial.status is Status.OK for trial in given], dtype=bool)
    budget = np.array([trial.budget for trial in given], dtype=np.float64)
    return [*compress(given, history.comparable(usable, budget, explored(given)))]


def explored(trials: Iterable[Trial]) -> NDArray[np.bool_]:
    """(n,) whether the scheduler asked for the configuration of a trial from the priors. Each trial
    must come after the one that it continues.
    """
    known: dict[Any, bool] = {}
    for trial in trials:
        known[trial.id] = trial.explore or known.get(trial.parent, False)
    return np.array([*known.values()], dtype=bool)


def roots(trials: Iterable[Trial]) -> dict[Any, Any]:
    """{id of a trial: id of the first trial of its configuration}."""
    known: dict[Any, Any] = {}
    for trial in trials:
        known[trial.id] = known.get(trial.parent, trial.id)
    return known


def best(trials: Iterable[Trial]) -> Trial | None:
    """The comparable trial with the smallest loss; the earliest one of equal losses."""
    return min(comparable(trials), key=_place, default=None)


def top(trials: Iterable[Trial], n: int) -> list[Trial]:
    """The n comparable trials with the smallest losses, best first."""
    return sorted(comparable(trials), key=_place)[:n]


def _place(trial: Trial) -> tuple[Any, Any]:
    return trial.loss, trial.id


def best_params(trials: Finished) -> dict[str, Any]:
    """{label: value} of the best trial, with values as the objective received them.

    Raises:
        AllTrialsFailed: no trial has a usable loss.
        InvalidArgument: the trials do not know their search space.
    """
    found = best(trials.records.values())
    if found is None:
        raise AllTrialsFailed("no trial has a usable loss, so there are no best parameters")
    if trials.space is None:
        raise InvalidArgument(
            "best_params: these trials do not know their search space, because they were loaded or "
            "not used by fmin yet; call space_eval(space, trials.argmin), or fmin again"
        )
    return trials.space.evaluate(found.values)


def why_none(trials: Iterable[Trial]) -> str:
    """A message why there is no best trial: the counts of each status, and the first failure."""
    text = "There are no evaluation tasks, cannot return argmin of task losses"
    failed = [trial for trial in trials if not trial.status.pending]
    if not failed:
        return f"{text}: no trial was evaluated."
    counts = {status: sum(t.status is status for t in failed) for status in Status}
    summary = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
    text += f": none of {len(failed)} trials gave a usable loss ({summary})."
    told = next((trial for trial in failed if trial.failure), None)
    if told is None:
        return text
    return f"{text} The first failure, of trial {told.id}:\n{told.failure}{told.last_lines}"
