"""Work that does not depend on the timing."""

from __future__ import annotations

import numpy as np

from sparktune.history import View
from sparktune.schedulers import FullBudget, InOrder, New
from sparktune.testing import history_of, spaces
from sparktune.trial import Status

SPACE = spaces()["one number"]


def history(*ended: bool) -> View:
    X = np.zeros((len(ended), 1))
    statuses = [Status.OK if each else Status.RUNNING for each in ended]
    return history_of(SPACE, X, [1.0 if each else None for each in ended], statuses)


def test_a_trial_waits_for_those_it_has_to_know_and_for_no_others() -> None:
    scheduler = InOrder(FullBudget(), 3)
    assert scheduler.schedule(history(), 5) == [New(knows=0)]
    assert scheduler.schedule(history(False, False), 5) == [New(knows=0)]
    assert scheduler.schedule(history(False, False, False), 5) == []
    assert scheduler.schedule(history(False, True, True), 5) == []
    assert scheduler.schedule(history(True, False, False), 5) == [New(knows=1)]
    assert scheduler.schedule(history(True, False, False), 0) == []


def test_the_scheduler_inside_sees_only_what_the_sampler_may_know() -> None:
    class Halves:
        def schedule(self, history: View, free: int) -> list[New]:
            assert (free, history.pending.tolist()) == (1, [False, True, True])
            return [New(0.5)]

        def scores(self, history: View) -> View:
            return history

    scheduler = InOrder(Halves(), 3)
    assert scheduler.schedule(history(True, True, True), 4) == [New(0.5, knows=1)]
