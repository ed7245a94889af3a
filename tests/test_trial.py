"""Records, outcomes and statuses."""

from __future__ import annotations

import pickle

import pytest

from sparktune import trial as records
from sparktune.events import (
    Asked,
    Begun,
    Enqueued,
    Event,
    Limit,
    Stopped,
    Told,
    apply,
    begin_of,
    retold,
)
from sparktune.trial import Failure, Header, Outcome, Status, Trial


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


HEADER = Header("objective", 1, "", {"x": "uniform(0, 1)"}, 0.0)


def test_events_are_applied_one_by_one() -> None:
    waiting = Trial(3, {"x": 0.5})
    running = Trial(3, {"x": 0.5}, Status.RUNNING, asked=1.0)
    end = Outcome(3, Status.OK, 0.25, {"loss": 0.25, "status": "ok"}, started=2.0, finished=3.0)
    steps: list[tuple[Event, dict[int, Trial]]] = [
        (Begun(HEADER), {}),
        (Begun(HEADER, Limit(5, 5)), {}),
        (Enqueued(waiting), {3: waiting}),
        (Asked(running), {3: running}),
        (Told(running.told(end), end), {3: running.told(end)}),
        (Stopped("timeout"), {3: running.told(end)}),
    ]
    known: dict[int, Trial] = {}
    for event, expected in steps:
        apply(known, event)
        assert known == expected


def test_records_are_retold_as_the_events_that_lead_to_them() -> None:
    told = Trial(2, {"x": 0.1}, Status.RUNNING, asked=1.0).told(
        Outcome(2, Status.ERROR, failure=Failure("E", "m"), finished=2.0, log="text")
    )
    known = {0: Trial(0, {"x": 0.5}), 1: Trial(1, {}, Status.RUNNING, 0.25, asked=1.0), 2: told}
    attachments = {"ATTACH::2::a::b": b"1", "ATTACH::2::c": b"2", "ATTACH::7::d": b"3", "own": 4}
    events = [*retold(known, attachments)]
    assert [type(event) for event in events] == [Enqueued, Asked, Asked, Told]
    again: dict[int, Trial] = {}
    for event in events:
        apply(again, event)
    assert again == known
    last = events[-1]
    assert isinstance(last, Told)
    assert last.outcome.attachments == {"a::b": b"1", "c": b"2"}


def test_the_last_begin_counts() -> None:
    first, second = Begun(HEADER, Limit(5, 5)), Begun(HEADER, Limit(9, 9))
    assert (
        begin_of([Begun(HEADER), first, Stopped("timeout"), second, Stopped("timeout")]) is second
    )
    assert begin_of([]) is None
