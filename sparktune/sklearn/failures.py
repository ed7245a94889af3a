"""Candidates without a score: which trials are candidates, and how failures are reported."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from sklearn.exceptions import FitFailedWarning

from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.trial import Status, Trial


class NoCandidateScored(AllTrialsFailed, ValueError):
    """No candidate could be fitted and scored; a ValueError, as scikit-learn's own searches raise.

    The message holds the first failure's traceback.
    """


def counts(trial: Trial) -> bool:
    """Whether a trial is a row of `cv_results_`: it ended, and not only because the run did."""
    return not trial.status.pending and trial.status is not Status.CANCELLED


def failures_of(trial: Trial) -> Sequence[str]:
    """The tracebacks of the fits of a candidate that failed."""
    told = (trial.result or {}).get("failures", ())
    return [text for text in told if text is not None]


def is_hopeless(trial: Trial) -> bool:
    """Whether no fold of a candidate could be fitted."""
    return not trial.result or None not in trial.result.get("failures", (None,))


def explanation(trials: Sequence[Trial]) -> str:
    """Why no candidate has a score."""
    if not trials:
        return "no candidate was evaluated: the search was over before the first one ended"
    first = trials[0]
    why = next(iter(failures_of(first)), str(first.failure or first.status.value))
    return (
        f"none of the {len(trials)} candidates could be fitted and scored. The first one "
        f"({(first.result or {}).get('params', dict(first.values))}):\n{why}"
    )


def check_folds(trials: Sequence[Trial], n: int) -> None:
    """Refuse candidates of an earlier search none of which has as many folds as this one's.

    Raises:
        InvalidArgument: that is so.
    """
    found = [len(trial.result["failures"]) for trial in trials if trial.result]
    if found and n not in found:
        raise InvalidArgument(
            f"the candidates that this search continues have {found[0]} folds, and cv makes {n}; "
            "give the cv they were evaluated with, or start over"
        )


def warn_of_failures(trials: Sequence[Trial], n_splits: int, error_score: Any) -> None:
    """Warn how many fits failed, with the first failure."""
    lost = [trial for trial in trials if not trial.result]
    failures = [text for trial in trials for text in failures_of(trial)]
    failures += [str(trial.failure or trial.status.value) for trial in lost]
    if failures:
        n = len(failures) + (n_splits - 1) * len(lost)
        total = sum(len((trial.result or {}).get("failures", ())) or n_splits for trial in trials)
        warnings.warn(
            f"{n} fits failed out of a total of {total}. Their score is set to "
            f"{error_score}. The first failure:\n{failures[0]}",
            FitFailedWarning,
            stacklevel=5,
        )
