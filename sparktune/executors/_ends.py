"""The outcomes of trials whose call ended without a report."""

from __future__ import annotations

import traceback

from sparktune.executors._calls import Call
from sparktune.executors.seams import CancelledOutside, Crashed
from sparktune.trial import Failure, Outcome, Status, Trial


def without_report(call: Call, trial: Trial, error: BaseException, limit: float | None) -> Outcome:
    """The outcome of a trial whose call raised an error."""
    if trial.id in call.told:
        return told_to_end(call, trial, limit)
    if isinstance(error, CancelledOutside):
        return Outcome(trial.id, Status.CANCELLED, failure=Failure("Cancelled", str(error)))
    text = "" if isinstance(error, Crashed) else "".join(traceback.format_exception(error))
    failure = Failure(type(error).__name__, str(error), text)
    return Outcome(trial.id, Status.CRASHED, failure=failure)


def told_to_end(call: Call, trial: Trial, limit: float | None) -> Outcome:
    """The outcome of a trial that was told to end; `limit` are the seconds that it may run."""
    why = call.told.get(trial.id, Status.CANCELLED)
    if why is not Status.TIMEOUT:
        return Outcome(trial.id, why)
    message = f"the trial ran longer than trial_timeout={limit:g} seconds and was ended"
    return Outcome(trial.id, why, failure=Failure("Timeout", message))
