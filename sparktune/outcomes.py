"""Conversion of the results that users report to outcomes of trials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sparktune import worker
from sparktune.errors import InvalidArgument, brief
from sparktune.trial import Failure, Outcome, Status


def outcome_of(id: int, result: Any) -> Outcome:
    """The outcome of a result, which is a loss, a dict, an exception, a `Failure` or an `Outcome`.

    Raises:
        InvalidArgument: `result` is none of these, or an `Outcome` of a pending trial.
    """
    if isinstance(result, Outcome) and not result.status.pending:
        return result if result.trial_id == id else replace(result, trial_id=id)
    if isinstance(result, Failure):
        return Outcome(id, Status.ERROR, failure=result)
    if isinstance(result, BaseException):
        return Outcome.of(id, worker.failed(result))
    outcome = Outcome.of(id, worker.read(result))
    if outcome.status is Status.ERROR:
        raise InvalidArgument(
            "result must be a loss, a dict such as {'loss': 0.1, 'status': 'ok'} or "
            "{'status': 'fail'}, an exception, a Failure or an Outcome of a trial that has ended, "
            f"got {brief(result)}"
        )
    return outcome
