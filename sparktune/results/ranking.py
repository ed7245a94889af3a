"""The trials that can be compared, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.results.finished import Finished
from sparktune.trial import Status, Trial


def comparable(trials: Iterable[Trial]) -> list[Trial]:
    """The trials whose losses can be compared: those with a usable loss at the largest budget at
    which any trial has one.
    """
    ok = [trial for trial in trials if trial.status is Status.OK]
    largest = max((trial.budget for trial in ok), default=1.0)
    return [trial for trial in ok if trial.budget == largest]


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
