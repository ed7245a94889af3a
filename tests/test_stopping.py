"""Stopping rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, nan

import numpy as np
import pytest

from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.space.space import Space
from sparktune.stopping import (
    LossThreshold,
    Never,
    NoProgress,
    Stopper,
    Timeout,
    no_progress_loss,
)
from sparktune.testing import history_of
from sparktune.trial import Status

NOTHING = Space({"x": 0})


def losses(*values: float | None, statuses: Sequence[Status] | None = None) -> View:
    """Trials with these losses, ended in this order at seconds 1, 2, ..."""
    return history_of(NOTHING, np.empty((len(values), 0)), values, statuses)


def at(now: float, begun: float = 0.0) -> View:
    """No trials, at this time."""
    return replace(losses(), now=now, begun=begun)


def stops_after(rule: Stopper, values: Sequence[float]) -> int | None:
    """The number of trials after which a rule first stops."""
    for n in range(len(values) + 1):
        if rule.stop(losses(*values[:n])):
            return n
    return None


def test_never_never_stops() -> None:
    assert Never().stop(losses(0.0)) is None
    assert Never().wake_at(at(5)) == inf


def test_a_timeout_counts_from_the_beginning_of_the_run() -> None:
    rule = Timeout(10)
    assert rule.stop(at(109.9, begun=100)) is None
    assert rule.stop(at(110, begun=100)) == "timeout"
    assert rule.wake_at(at(105, begun=100)) == 110


def test_a_loss_must_be_below_the_threshold() -> None:
    rule = LossThreshold(1.0)
    assert rule.stop(losses()) is None
    assert rule.stop(losses(3.0, 1.0)) is None
    assert rule.stop(losses(3.0, 0.99)) == "loss threshold"
    assert rule.stop(losses(0.5, statuses=[Status.FAIL])) is None
    assert rule.wake_at(at(5)) == inf


# NoProgress

DOWN_AND_FLAT = (5, 4, 3, 3, 3, 3, 3)
FLAT = (1, 1, 1, 1, 1)
SLOW = (10, 9.5, 9, 8.9, 8, 8, 8, 8)
NEGATIVE = (-1, -1.05, -1.2, -1.2, -1.2, -1.2)


@pytest.mark.parametrize(
    ("count", "percent", "values", "expected"),
    [
        # hyperopt 0.3.0, early_stop.no_progress_loss(count, percent)
        (1, 0, DOWN_AND_FLAT, 4),
        (1, 0, FLAT, 2),
        (1, 0, SLOW, 6),
        (1, 0, NEGATIVE, 4),
        (1, 10, DOWN_AND_FLAT, 4),
        (1, 10, SLOW, 2),
        (1, 10, NEGATIVE, 2),
        (2, 0, DOWN_AND_FLAT, 5),
        (2, 0, FLAT, 2),
        (2, 0, SLOW, 7),
        (2, 0, NEGATIVE, 5),
        (2, 10, SLOW, 2),
        (3, 0, DOWN_AND_FLAT, 6),
        (3, 0, FLAT, 3),
        (3, 0, SLOW, 8),
        (3, 10, SLOW, 3),
        (3, 10, NEGATIVE, 6),
        (9, 0, SLOW, None),
    ],
)
def test_no_progress_stops_when_hyperopts_does(
    count: int, percent: float, values: Sequence[float], expected: int | None
) -> None:
    assert stops_after(no_progress_loss(count, percent), values) == expected


def test_progress_is_counted_in_the_order_in_which_trials_end() -> None:
    rule = NoProgress(2)
    history = losses(1.0, 2.0, 3.0)
    assert rule.stop(history) == "no progress"
    assert rule.stop(replace(history, finished=np.array([3.0, 2.0, 1.0]))) is None


def test_failed_trials_are_no_progress_and_pending_ones_do_not_count() -> None:
    statuses = [Status.OK, Status.OK, Status.ERROR, Status.FAIL]
    assert NoProgress(2).stop(losses(2.0, 1.0, None, -9.0, statuses=statuses)) == "no progress"
    running = [Status.OK, Status.OK, Status.RUNNING, Status.NEW]
    assert NoProgress(2).stop(losses(2.0, 1.0, None, None, statuses=running)) is None


def test_after_failures_a_first_loss_is_progress() -> None:
    statuses = [Status.ERROR, Status.ERROR, Status.OK]
    assert NoProgress(3).stop(losses(None, None, 1.0, statuses=statuses)) is None
    assert NoProgress(2).stop(losses(inf, 5.0)) is None


@dataclass
class Told:
    """The losses and statuses of a user's trials."""

    given: list[float | None]
    given_statuses: list[str]

    def losses(self) -> list[float | None]:
        return self.given

    def statuses(self) -> list[str]:
        return self.given_statuses


@pytest.mark.parametrize(
    ("given", "statuses", "stop"),
    [
        ([], [], False),
        ([1.0], ["ok"], False),
        ([1.0, 1.0], ["ok", "ok"], True),
        ([1.0, 0.5], ["ok", "ok"], False),
        ([1.0, None], ["ok", "running"], False),
        ([1.0, None], ["ok", "new"], False),
        ([1.0, None], ["ok", "fail"], True),
        ([1.0, 0.5], ["ok", "fail"], True),
        ([nan, 5.0, 4.0], ["ok", "ok", "ok"], False),
        ([3.0, 2.0, nan], ["ok", "ok", "ok"], False),
        ([3.0, 2.0, nan, nan], ["ok", "ok", "ok", "ok"], True),
    ],
)
def test_no_progress_can_be_called_as_an_early_stop_function(
    given: list[float | None], statuses: list[str], stop: bool
) -> None:
    assert no_progress_loss(2)(Told(given, statuses)) == (stop, [])
    assert no_progress_loss(2)(Told(given, statuses), "state", "of others") == (stop, [])


@pytest.mark.parametrize("count", [0, -1, 2.5, True, "3", None], ids=repr)
def test_the_number_of_trials_without_progress_must_be_a_positive_integer(count: object) -> None:
    with pytest.raises(InvalidArgument, match=r"iteration_stop_count argument .* integer >= 1"):
        no_progress_loss(count)  # type: ignore[arg-type]


# Combined


LOSS, TIME, NO = LossThreshold(1.0), Timeout(0.0), Never()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (LOSS | NO, "loss threshold"),
        (NO | LOSS, "loss threshold"),
        (NO | NO, None),
        (LOSS | TIME, "loss threshold"),
        (TIME | LOSS, "timeout"),
        (LOSS & TIME, "loss threshold and timeout"),
        (LOSS & NO, None),
        (NO & LOSS, None),
        ((NO | LOSS) & TIME, "loss threshold and timeout"),
        (NO | (LOSS & NO), None),
    ],
    ids=repr,
)
def test_rules_combine(rule: Stopper, reason: str | None) -> None:
    assert rule.stop(losses(0.0)) == reason


def test_either_rule_wakes_at_the_earlier_time() -> None:
    rule = Timeout(20) | Timeout(10) | NO
    assert rule.wake_at(at(0)) == 10


def test_both_rules_wake_at_the_earlier_time_that_is_still_to_come() -> None:
    rule = Timeout(20) & Timeout(10)
    assert [rule.wake_at(at(now)) for now in (0, 10, 15, 20)] == [10, 20, 20, inf]
    assert rule.stop(at(15)) is None
    assert rule.stop(at(20)) == "timeout and timeout"
