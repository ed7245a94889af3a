"""Conformance checks of stopping rules: `for check in STOPPER_CHECKS: check(rule)`.

A check raises AssertionError if it fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from sparktune.history import View
from sparktune.stopping import AllOf, AnyOf, Never, Stopper, wake_at
from sparktune.testing.situations import mixed_history, spaces
from sparktune.trial import Status


def check_reasons_are_texts(rule: Stopper) -> None:
    """`stop` returns None or a text that is not empty."""
    for name, history in _situations():
        reason = rule.stop(history)
        assert reason is None or (isinstance(reason, str) and reason), f"{name}: got {reason!r}"


def check_asking_again_changes_nothing(rule: Stopper) -> None:
    """Two calls of `stop` with the same history return the same, and do not change it."""
    for name, history in _situations():
        before = history.loss.copy(), history.status.copy()
        first = rule.stop(history)
        assert rule.stop(history) == first, f"{name}: two calls differ"
        np.testing.assert_array_equal(history.loss, before[0], f"{name}: losses changed")
        np.testing.assert_array_equal(history.status, before[1], f"{name}: statuses changed")


def check_it_wakes_when_it_stops_by_itself(rule: Stopper) -> None:
    """`wake_at` returns a time or infinity. If a rule does not stop now, `wake_at` is in the
    future, and the rule does not stop before that time.
    """
    for name, history in _situations():
        then = wake_at(rule, history)
        assert not math.isnan(then), f"{name}: wake_at is NaN"
        if rule.stop(history) is not None:
            continue
        assert then > history.now, (
            f"{name}: it has not stopped, but wake_at is {history.now - then} s in the past"
        )
        early = history.now + 1e6 if then == math.inf else (history.now + then) / 2
        reason = rule.stop(replace(history, now=early))
        assert reason is None, f"{name}: it stops ({reason}) before the time of wake_at"


def check_it_combines(rule: Stopper) -> None:
    """`rule | Never()` stops when the rule does, and `rule & Never()` never stops."""
    for name, history in _situations():
        reason = rule.stop(history)
        assert AnyOf(rule, Never()).stop(history) == reason, f"{name}: rule | Never() differs"
        assert AllOf(rule, Never()).stop(history) is None, f"{name}: rule & Never() stops"


STOPPER_CHECKS: tuple[Callable[[Stopper], None], ...] = (
    check_reasons_are_texts,
    check_asking_again_changes_nothing,
    check_it_wakes_when_it_stops_by_itself,
    check_it_combines,
)


def _situations() -> Iterator[tuple[str, View]]:
    space = spaces()["one number"]
    running, failed = Status.RUNNING, Status.ERROR
    yield "no trial", mixed_history(space, 0)
    yield "one trial", mixed_history(space, 1)
    yield "many trials", mixed_history(space, 60, 1, *(running, failed) * 4)
    yield "nothing but failures", mixed_history(space, 0, 1, *[failed] * 8)
    yield "nothing but running", mixed_history(space, 0, 1, *[running] * 8)
