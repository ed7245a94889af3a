"""Calls of several trials: how many they have, and that each trial fares as it does alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from sparktune.executors._batches import ENOUGH, MOST, SURE, Batches
from sparktune.executors._calls import Timing
from sparktune.executors._waiting import Waiting
from sparktune.executors.pool import Pool
from sparktune.executors.seams import CancelledOutside, Crashed, Lost
from sparktune.executors.task import Task
from sparktune.trial import Outcome, Status, Trial
from tests.executors.test_pool import Clock, Controlled, drain, submit


def after(*durations: float, fixed: int | None = None) -> Batches:
    """What is known after trials that took so long, each in a call of its own."""
    batches = Batches(fixed)
    for seconds in durations:
        batches.note(1, seconds)
    return batches


@pytest.mark.parametrize(
    ("seconds", "size"),
    [(0.0, MOST), (0.001, MOST), (0.01, 30), (0.05, 6), (0.1, 3), (0.2, 2), (0.3, 1), (3600.0, 1)],
)
def test_a_call_lasts_about_a_third_of_a_second(seconds: float, size: int) -> None:
    assert after(*[seconds] * 600).size() == size


def test_nothing_shares_a_call_before_durations_are_known() -> None:
    assert Batches().size() == 1
    assert Batches().calls(1000) == float("inf")


def test_no_place_is_left_free_before_short_trials_are_the_rule() -> None:
    assert after(*[0.0] * (SURE - 1)).calls(1000) == float("inf")


@pytest.mark.parametrize(("ended", "size"), [(1, 2), (2, 4), (15, 30), (16, MOST), (1000, MOST)])
def test_calls_grow_fast_as_durations_are_known(ended: int, size: int) -> None:
    assert after(*[0.001] * ended).size() == size


@pytest.mark.parametrize(
    ("seconds", "trials", "calls"),
    [(0.0, 1000, 2), (0.001, 40, 2), (0.001, 100, 5), (0.01, 5, 3), (0.02, 5, 5), (1.0, 5, 250)],
)
def test_there_are_no_more_calls_than_are_worth_it(
    seconds: float, trials: int, calls: float
) -> None:
    assert after(*[seconds] * SURE).calls(trials) == calls


def test_a_long_trial_among_short_ones_makes_for_more_calls() -> None:
    assert after(*[0.001] * SURE).calls(5) == 2
    assert after(*[0.001] * SURE).calls(5, late=[4.0]) == 60


@pytest.mark.parametrize(
    ("seconds", "ahead", "sizes"),
    [
        (0.05, 0, [1, 1, 1, 1, 1]),  # a place is for a trial at least
        (0.05, 8, [2, 2, 2, 2, 1]),
        (0.05, 10, [2, 2, 2, 2, 2]),
        (0.05, 1000, [6, 6, 6, 6, 6]),
        (0.001, 0, [3, 2]),
        (0.001, 8, [4, 4]),
        (0.001, 1000, [32, 32, 32, 32, 32]),
    ],
)
def test_trials_inside_are_as_many_as_may_be_pending(
    seconds: float, ahead: float, sizes: list[int]
) -> None:
    waiting = Waiting(after(*[seconds] * 100))
    waiting.expect(None, ahead)
    waiting.look(5)
    found: list[int] = []
    while room := waiting.room(5, len(found), sum(found)):
        for id in range(room):
            waiting.add(Trial(id, {}))
        found.append(len(waiting.next(4, len(found))))
        waiting.remove(waiting.ids)
    assert found == sizes


def test_trials_that_are_to_be_alone_use_all_slots() -> None:
    waiting = Waiting(after(*[0.001] * 100))
    waiting.expect(None, 0)
    waiting.look(5)
    assert waiting.room(5, 0, 0) == 5
    waiting.again([Trial(id, {}) for id in range(4)], alone=True)
    waiting.look(5)
    assert [len(waiting.next(4, 0)) for _ in range(3)] == [1, 1, 1]
    assert waiting.calls == float("inf")
    assert len(waiting.remove({3})) == 1
    waiting.look(5)
    assert waiting.calls == 2


def test_a_few_long_trials_make_calls_smaller_and_are_forgotten() -> None:
    batches = after(*[0.01] * 600)
    assert batches.size() == 30
    assert batches.size(late=[4.0]) == 16  # one that still runs counts, too
    assert batches.size(late=[60.0]) == 2
    batches.note(1, 60.0)
    assert batches.size() == 2
    batches.note(32, 0.32)
    assert batches.size() == 30


def test_calls_are_as_long_as_they_can_be_where_few_trials_are_long() -> None:
    """Nine of ten take 20 ms, one takes two seconds: HELD / 0.214 s."""
    assert after(*[2.0, *[0.02] * 9] * 40).size() == 10


@pytest.mark.parametrize(
    ("waiting", "left", "share"),
    [(8, None, 8), (8, 100, 8), (3, 100, 3), (8, 12, 5), (8, 0, 2), (1, 0, 1), (30, 0, 8)],
)
def test_the_last_trials_are_spread_over_all_slots(
    waiting: int, left: int | None, share: int
) -> None:
    assert Batches().share(8, waiting, left, 4, 4) == share


def test_a_fixed_size_stays() -> None:
    batches = after(*[10.0] * 100, fixed=8)
    assert batches.size(late=[100.0]) == 8
    assert batches.share(8, 20, 0, 4, 4) == 8
    assert batches.share(8, 5, 0, 4, 1) == 5
    assert batches.share(8, 5, 0, 4, 4) == 2


def test_a_call_begins_no_trial_once_it_has_lasted_long() -> None:
    assert Batches().seconds(None) == ENOUGH
    assert Batches().seconds(0.1) == 0.1
    assert Batches(8).seconds(None) == float("inf")
    assert Batches(8).seconds(3.0) == 3.0


class Noting(Controlled):
    """Notes which trials share a call, and ends each at once that is not to wait."""

    def __init__(self, *waits: int, **options: Any) -> None:
        super().__init__(**options)
        self.calls: list[list[int]] = []
        self.within: list[float] = []
        self.by_tag: dict[str, list[int]] = {}
        for id in set(self.ends) - set(waits):
            self.ends[id].set()

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        self.calls.append([trial.id for trial in trials])
        self.within.append(within)
        self.by_tag[tag] = self.calls[-1]
        return super().call(trials, tag, within)

    def cancel(self, tag: str) -> bool:
        for id in self.by_tag.get(tag, ()):
            if not self.ends[id].is_set():
                self.errors[id] = RuntimeError("cancelled")
                self.ends[id].set()
        return True


def test_trials_share_calls_of_a_fixed_size_in_their_order() -> None:
    transport = Noting(slots=2)
    pool = Pool(transport, 2, batch=3)
    assert pool.slots == 9
    submit(pool, *range(8))
    outcomes = drain(pool, 8)
    assert sorted(transport.calls) == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert {id: outcome.loss for id, outcome in outcomes.items()} == {i: i for i in range(8)}
    pool.close()


def test_fewer_trials_than_a_call_could_have_are_spread_over_all_slots() -> None:
    transport = Noting(slots=4)
    pool = Pool(transport, 4, batch=8)
    submit(pool, *range(6))
    assert drain(pool, 6).keys() == set(range(6))
    assert sorted(transport.calls) == [[0, 1], [2, 3], [4], [5]]
    pool.close()


def test_one_at_a_time_means_one_at_a_time() -> None:
    transport = Noting()
    pool = Pool(transport, 1, batch=None)
    for id in range(80):
        assert pool.slots == 1
        submit(pool, id)
        drain(pool, 1)
    assert transport.calls == [[id] for id in range(80)]
    pool.close()


def test_calls_grow_as_short_trials_end_and_shrink_near_the_end() -> None:
    class Timed(Noting):
        def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
            times = {"started": float(trial.id), "finished": trial.id + 0.0}
            return super().evaluate(trial, tag) | times

        def call(
            self, trials: Sequence[Trial], tag: str, within: float
        ) -> list[dict[str, Any] | None]:
            reports = super().call(trials, tag, within)
            return [None if r is None else r | {"started": 0.0, "finished": 0.0} for r in reports]

    transport = Timed(slots=2)
    pool = Pool(transport, 2, batch=None)
    asked, ended = 0, 0
    while ended < 300:
        new = min(pool.slots - (asked - ended), 300 - asked)
        pool.expect(300 - asked)
        submit(pool, *range(asked, asked + new))
        asked += max(new, 0)
        ended += len(drain(pool, 1))
    sizes = [len(call) for call in transport.calls]
    assert sizes[:3] == [1, 1, 1]
    assert max(sizes) >= 8
    assert sizes[-1] == 1
    assert sorted(id for call in transport.calls for id in call) == list(range(300))
    pool.close()


def test_a_crash_ends_the_trial_alone_that_caused_it_and_is_no_retry() -> None:
    transport = Noting()
    transport.errors[1] = Crashed("the process died")
    pool = Pool(transport, 1, retries=0, batch=4)
    submit(pool, *range(4))
    outcomes = drain(pool, 4)
    assert {id: outcome.status for id, outcome in outcomes.items()} == {
        0: Status.OK,
        1: Status.CRASHED,
        2: Status.OK,
        3: Status.OK,
    }
    assert transport.calls == [[0, 1, 2, 3], [0], [1], [2], [3]]
    pool.close()


def test_trials_of_a_lost_call_are_evaluated_again_before_those_that_came_later() -> None:
    class Losing(Noting):
        def call(
            self, trials: Sequence[Trial], tag: str, within: float
        ) -> list[dict[str, Any] | None]:
            reports = super().call(trials, tag, within)
            if len(trials) > 1 and len(self.calls) == 1:
                raise Lost("the executor was lost")
            return reports

    transport = Losing()
    pool = Pool(transport, 1, batch=2)
    submit(pool, *range(4))
    assert {outcome.status for outcome in drain(pool, 4).values()} == {Status.OK}
    assert transport.calls == [[0, 1], [0], [1], [2, 3]]
    pool.close()


def test_trials_that_a_call_did_not_begin_come_back_and_share_the_next() -> None:
    class Brief(Noting):
        def call(
            self, trials: Sequence[Trial], tag: str, within: float
        ) -> list[dict[str, Any] | None]:
            reports = super().call(trials, tag, within)
            return [*reports[:1], *[None for _ in reports[1:]]]

    transport = Brief()
    pool = Pool(transport, 1, batch=3)
    submit(pool, *range(4))
    assert {outcome.status for outcome in drain(pool, 4).values()} == {Status.OK}
    assert transport.calls == [[0, 1, 2], [1, 2, 3], [2, 3], [3]]
    pool.close()


def test_a_call_that_somebody_else_cancels_takes_all_its_trials_along() -> None:
    transport = Noting()
    transport.errors[1] = CancelledOutside("cancelled in the UI")
    pool = Pool(transport, 1, batch=3)
    submit(pool, *range(3))
    outcomes = drain(pool, 3)
    assert {outcome.status for outcome in outcomes.values()} == {Status.CANCELLED}
    assert all("UI" in str(outcome.failure) for outcome in outcomes.values())
    pool.close()


def test_one_trial_of_several_is_cancelled_without_a_cancel_if_they_end_soon() -> None:
    transport = Noting(0, 2)
    pool = Pool(transport, 1, batch=3, timing=Timing(companions=600.0))
    submit(pool, *range(3))
    assert transport.entered[0].wait(120)
    pool.cancel([2])
    transport.ends[0].set()
    assert transport.entered[2].wait(120)
    transport.ends[2].set()
    outcomes = drain(pool, 3)  # a result that arrives despite its cancel is kept
    assert {outcome.status for outcome in outcomes.values()} == {Status.OK}
    pool.close()


def test_one_trial_of_several_is_cancelled_and_the_others_are_evaluated_again() -> None:
    transport = Noting(1)
    clock = Clock()
    pool = Pool(transport, 1, batch=3, clock=clock)
    submit(pool, *range(3))
    assert transport.entered[1].wait(120)
    pool.cancel([1])
    pool.collect(0)
    assert not transport.ends[1].is_set()
    clock.now = 0.6
    outcomes = drain(pool, 3)
    assert {id: outcome.status for id, outcome in outcomes.items()} == {
        0: Status.OK,
        1: Status.CANCELLED,
        2: Status.OK,
    }
    assert transport.calls == [[0, 1, 2], [0], [2]]
    pool.close()


def test_cancelling_all_trials_of_a_call_ends_it_at_once() -> None:
    transport = Noting(0)
    pool = Pool(transport, 1, batch=2, clock=Clock())
    submit(pool, 0, 1)
    assert transport.entered[0].wait(120)
    pool.cancel([0, 1])
    assert {outcome.status for outcome in drain(pool, 2).values()} == {Status.CANCELLED}
    pool.close()


def test_a_trial_of_a_call_that_has_not_begun_is_taken_out_of_it() -> None:
    transport = Noting(0)
    transport.queues = False
    pool = Pool(transport, 2, batch=2)
    transport.slots = 1
    submit(pool, *range(4))  # the second call waits for the first
    assert transport.entered[0].wait(120)
    pool.collect(0)
    pool.cancel([2])
    assert drain(pool, 1)[2].status is Status.CANCELLED
    transport.ends[0].set()
    assert sorted(drain(pool, 3)) == [0, 1, 3]
    assert transport.calls == [[0, 1], [3]]
    pool.close()


class Endless(Noting):
    """A transport on which trial 1 runs until its call is cancelled, each time."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.cancelled: dict[str, threading.Event] = {}

    def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
        if trial.id != 1:
            return super().evaluate(trial, tag)
        self.tags[tag] = trial.id
        ended = self.cancelled[tag] = threading.Event()
        self.begun.append(tag)
        assert ended.wait(120)
        raise CancelledOutside("the job was cancelled")

    def cancel(self, tag: str) -> bool:
        self.cancelled[tag].set()
        return True


def test_a_time_limit_ends_the_trial_alone_that_ran_for_too_long(wait_until: Any) -> None:
    transport, clock = Endless(), Clock()
    pool = Pool(transport, 1, trial_timeout=2.0, batch=3, clock=clock)
    submit(pool, *range(3))
    ended: list[Outcome] = []

    def passes(seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            clock.now += 0.1
            ended.extend(pool.collect(0))

    def comes_to(n: int) -> bool:
        """Whether trial 1 has begun so many times; no time passes."""
        ended.extend(pool.collect(0))
        return len(transport.begun) == n

    wait_until(lambda: comes_to(1))
    assert transport.within == [2.0]
    passes(3.8)  # it may have begun when the call had lasted 2 seconds
    assert not transport.cancelled[transport.begun[0]].is_set()
    passes(0.8)
    assert transport.cancelled[transport.begun[0]].is_set()
    wait_until(lambda: comes_to(2))
    assert transport.calls == [[0, 1, 2], [0], [1]]
    passes(1.8)
    assert not transport.cancelled[transport.begun[1]].is_set()
    passes(0.8)
    assert transport.cancelled[transport.begun[1]].is_set()
    ended += drain(pool, 3 - len(ended)).values()
    assert {outcome.trial_id: outcome.status for outcome in ended} == {
        0: Status.OK,
        1: Status.TIMEOUT,
        2: Status.OK,
    }
    pool.close()


def test_what_is_inside_when_the_pool_is_closed_has_one_end() -> None:
    transport = Noting(0, 2, slots=1)
    pool = Pool(transport, 1, batch=2, timing=Timing(again=0.02, grace=5.0))
    submit(pool, *range(5))
    assert transport.entered[0].wait(120)
    pool.close()
    ended = sorted((outcome.trial_id, outcome.status) for outcome in pool.collect(0))
    assert ended == [(id, Status.CANCELLED) for id in range(5)]


def test_several_trials_have_one_line() -> None:
    task = Task(float, lambda trial: 0.0, "boosting")
    trials = [Trial(id, {}) for id in (17, 18, 19, 24, 30, 31)]
    assert task.describe(*trials) == "boosting trials 17-19, 24, 30-31"


def test_places_are_for_calls_however_many_trials_these_have() -> None:
    transport = Noting(*range(8))
    pool = Pool(transport, 2, batch=3)
    submit(pool, *range(4))
    assert pool.slots == 9  # one trial waits for two more
    pool.collect(0)  # no longer
    assert pool.slots == 3 + 1 + 3
    transport.ends[3].set()
    assert sorted(drain(pool, 1)) == [3]
    assert pool.slots == 3 + 2 * 3
    for end in transport.ends.values():
        end.set()
    drain(pool, 3)
    pool.close()
