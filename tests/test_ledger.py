"""Records, columns and queue follow from events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sparktune import hp
from sparktune.clocks import RunClock
from sparktune.errors import InvalidArgument
from sparktune.events import Asked, Begun, Enqueued, Limit, Told
from sparktune.ledger import Ledger
from sparktune.space.space import Space
from sparktune.trial import Header, Outcome, Status, Trial

SPACE = Space(hp.uniform("x", 0, 1))
HEADER = Header("objective", 1, "", {}, 0.0)


def new(id: int, x: float = 0.5) -> Trial:
    return Trial(id, {"x": x})


def asked(id: int, x: float = 0.5) -> Asked:
    return Asked(replace(new(id, x), status=Status.RUNNING))


def told(id: int, status: Status = Status.OK, x: float = 0.5) -> Told:
    outcome = Outcome(id, status, 1.0 if status is Status.OK else None, finished=2.0)
    return Told(asked(id, x).trial.told(outcome), outcome)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(SPACE, {}, RunClock(lambda: 1.0))


def test_a_trial_waits_runs_and_ends(ledger: Ledger) -> None:
    ledger.apply(Enqueued(new(4)))
    assert (ledger.waiting, ledger.running, ledger.next_id) == ([4], set(), 5)
    ledger.apply(asked(4))
    assert (ledger.waiting, ledger.running) == ([], {4})
    ledger.apply(told(4))
    assert (ledger.waiting, ledger.running) == ([], set())
    assert ledger.records[4].status is Status.OK
    assert ledger.at(0) is ledger.records[4]
    assert ledger.history.view().loss.tolist() == [1.0]


def test_a_run_that_begins_hands_out_again_what_never_ended(ledger: Ledger) -> None:
    for event in (asked(0), asked(1), told(0)):
        ledger.apply(event)
    ledger.apply(Begun(HEADER))
    assert (ledger.waiting, ledger.running) == ([], {1})
    ledger.apply(Begun(HEADER, Limit(5, 5)))
    assert (ledger.waiting, ledger.running) == ([1], set())


def test_cancelled_promotions_are_not_counted(ledger: Ledger) -> None:
    for event in (asked(0), told(0), asked(1), told(1, Status.CANCELLED)):
        ledger.apply(event)
    promoted = replace(told(2, Status.CANCELLED).trial, parent=0)
    ledger.apply(Told(promoted, promoted.outcome()))
    assert ledger.cancelled == 1


def test_an_open_trial_is_found_by_its_values_the_first_of_equals(ledger: Ledger) -> None:
    for event in (asked(0, 0.25), Enqueued(new(1, 0.25)), told(0, x=0.25), Enqueued(new(2, 0.25))):
        ledger.apply(event)
    found = ledger.open_at({"x": 0.25})
    assert found is not None
    assert found.id == 1
    assert ledger.open_at({"x": 0.75}) is None


def test_a_trial_that_ended_is_known_and_not_open(ledger: Ledger) -> None:
    ledger.apply(asked(0))
    ledger.apply(told(0))
    assert ledger.known(0).id == 0
    with pytest.raises(InvalidArgument, match="ended already"):
        ledger.open(0)
    with pytest.raises(InvalidArgument, match="there is no trial 1 in this study"):
        ledger.open(1)


def test_a_trial_that_the_space_cannot_have_given_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="trial 3 is not a point of this space"):
        Ledger(SPACE, {3: Trial(3, {"x": "text"})}, RunClock(lambda: 1.0))  # type: ignore[dict-item]
