"""Records, outcomes and statuses."""

from __future__ import annotations

import pickle

import pytest

from sparktune import trial as records
from sparktune.trial import Failure, Outcome, Status, Trial


@pytest.mark.parametrize(
    ("status", "pending", "returned", "job_state"),
    [
        (Status.NEW, True, False, records.JOB_STATE_NEW),
        (Status.RUNNING, True, False, records.JOB_STATE_RUNNING),
        (Status.OK, False, True, records.JOB_STATE_DONE),
        (Status.FAIL, False, True, records.JOB_STATE_DONE),
        (Status.ERROR, False, False, records.JOB_STATE_ERROR),
        (Status.CRASHED, False, False, records.JOB_STATE_ERROR),
        (Status.TIMEOUT, False, False, records.JOB_STATE_ERROR),
        (Status.CANCELLED, False, False, records.JOB_STATE_CANCEL),
    ],
)
def test_a_status_says_whether_the_trial_ended_and_how(
    status: Status, pending: bool, returned: bool, job_state: int
) -> None:
    assert (status.pending, status.returned, status.job_state) == (pending, returned, job_state)


def test_the_codes_are_hyperopts() -> None:
    states = ("NEW", "RUNNING", "DONE", "ERROR", "CANCEL")
    assert [getattr(records, f"JOB_STATE_{name}") for name in states] == [0, 1, 2, 3, 4]
    statuses = ("new", "running", "suspended", "ok", "fail")
    assert all(getattr(records, f"STATUS_{name.upper()}") == name for name in statuses)


def test_an_outcome_is_read_from_a_report() -> None:
    error = ValueError("bad")
    report = {
        "status": "error",
        "failure": ("ValueError", "bad", "Traceback"),
        "started": 1.0,
        "finished": 2.0,
        "exception": error,
        "attachments": {"a": 1},
    }
    assert Outcome.of(3, report) == Outcome(
        3,
        Status.ERROR,
        failure=Failure("ValueError", "bad", "Traceback"),
        started=1.0,
        finished=2.0,
        exception=error,
        attachments={"a": 1},
    )
    assert Outcome.of(3, {"status": "ok", "loss": 0.5}) == Outcome(3, Status.OK, 0.5)


def test_a_told_trial_keeps_its_point_and_takes_the_outcome() -> None:
    asked = Trial(3, {"x": 0.5}, Status.RUNNING, budget=0.5, asked=1.0)
    result, failure = {"status": "fail"}, Failure("Fail", "no")
    outcome = Outcome(3, Status.FAIL, None, result, failure, 2.0, 4.0, ValueError(), {"a": 1})
    assert asked.told(outcome) == Trial(
        3, {"x": 0.5}, Status.FAIL, 0.5, None, result, failure, 1.0, 2.0, 4.0
    )


def test_a_failure_reads_as_its_traceback_or_else_its_message() -> None:
    assert str(Failure("ValueError", "bad", "Traceback\n  ...\n")) == "Traceback\n  ..."
    assert str(Failure("ValueError", "bad")) == "ValueError: bad"


def test_records_can_be_pickled() -> None:
    record = Trial(3, {"x": 0.5}, Status.FAIL, failure=Failure("Fail", "no"), asked=1.0)
    assert pickle.loads(pickle.dumps(record)) == record
