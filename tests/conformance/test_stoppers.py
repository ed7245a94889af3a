"""Every stopping rule passes the checks, and the checks fail what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sparktune.history import View
from sparktune.stopping import (
    LossThreshold,
    MaxEvals,
    Never,
    NoProgress,
    NoProgressFor,
    RemainingImprovement,
    Stopper,
    Timeout,
)
from sparktune.stopping.rules import Rule
from sparktune.testing import STOPPER_CHECKS, stoppers

RULES = [
    Never(),
    MaxEvals(10),
    Timeout(1e5),
    LossThreshold(-2.0),
    NoProgress(5),
    NoProgressFor(1e5),
    RemainingImprovement(0.1),
    Timeout(1e5) | NoProgress(5),
    Timeout(10) & MaxEvals(10),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("check", STOPPER_CHECKS, ids=lambda check: check.__name__)
def test_the_rule_passes(check: Callable[[Stopper], None], rule: Stopper) -> None:
    check(rule)


class Sure(Rule):
    def stop(self, history: View) -> str | None:
        return ""


@dataclass
class Counting(Rule):
    asked: int = 0

    def stop(self, history: View) -> str | None:
        self.asked += 1
        return "enough" if self.asked % 2 else None


class Asleep(Rule):
    """Stops by itself, and does not say when."""

    def stop(self, history: View) -> str | None:
        return "late" if history.now > 1e5 else None


class Restless(Rule):
    def stop(self, history: View) -> str | None:
        return None

    def wake_at(self, history: View) -> float:
        return history.now


@pytest.mark.parametrize(
    ("rule", "check"),
    [
        (Sure(), stoppers.check_reasons_are_texts),
        (Counting(), stoppers.check_asking_again_changes_nothing),
        (Asleep(), stoppers.check_it_wakes_when_it_stops_by_itself),
        (Restless(), stoppers.check_it_wakes_when_it_stops_by_itself),
    ],
)
def test_what_is_wrong_fails(rule: Stopper, check: Callable[[Stopper], None]) -> None:
    with pytest.raises(AssertionError):
        check(rule)
