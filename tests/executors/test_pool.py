"""The pool, over a transport whose calls end when the test says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from sparktune.errors import SparkUnavailable
from sparktune.executors._batches import SURE
from sparktune.executors._calls import Call, Phase, State, Timing
from sparktune.executors.pool import Pool
from sparktune.executors.seams import CancelledOutside, Crashed, Lost
from sparktune.trial import Outcome, Status, Trial


class Controlled:
    """A transport whose calls wait until they are released, cancelled or made to raise."""

    def __init__(self, slots: int = 4, queues: bool = True, cancellable: bool = True) -> None:
        self.slots = slots
        self.free: int | None = None
        self.queues = queues
        self.cancellable = cancellable
        self.entered: dict[int, threading.Event] = {}
        self.ends: dict[int, threading.Event] = {}
        self.errors: dict[int, BaseException] = {}
        self.tags: dict[str, int] = {}
        self.waiting_for_a_slot: set[str] = set()
        self.closed = 0
        self.gone: SparkUnavailable | None = None
        for id in range(300):
            self.entered[id], self.ends[id] = threading.Event(), threading.Event()

    @property
    def room(self) -> int:
        return self.slots if self.free is None else self.free

    def bind(self, target: Any) -> Any:
        return target

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        return [self.evaluate(trial, tag) for trial in trials]

    def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
        self.tags[tag] = trial.id
        self.entered[trial.id].set()
        assert self.ends[trial.id].wait(120)
        if trial.id in self.errors:
            raise self.errors[trial.id]
        return {"status": "ok", "loss": float(trial.id), "result": {"loss": float(trial.id)}}

    def running(self) -> set[str]:
        return self.tags.keys() - self.waiting_for_a_slot

    def lost(self) -> SparkUnavailable | None:
        return self.gone

    def cancel(self, tag: str) -> bool:
        if self.cancellable:
            id = self.tags[tag]
            self.errors[id] = RuntimeError("cancelled")
            self.ends[id].set()
        return self.cancellable

    def close(self) -> None:
        self.closed += 1


def submit(pool: Pool, *ids: int) -> None:
    for id in ids:
        pool.submit(Trial(id, {"x": 0.0}))


def drain(pool: Pool, n: int) -> dict[int, Outcome]:
    """The next n outcomes by trial id."""
    outcomes: list[Outcome] = []
    while len(outcomes) < n:
        batch = pool.collect(120)
        assert batch, "no outcome within two minutes"
        outcomes += batch
    return {outcome.trial_id: outcome for outcome in outcomes}


def test_results_arrive_as_they_finish_in_any_order() -> None:
    transport = Controlled()
    pool = Pool(transport, 4)
    submit(pool, 0, 1, 2)
    transport.ends[2].set()
    assert drain(pool, 1)[2].loss == 2.0
    transport.ends[0].set()
    assert drain(pool, 1)[0].status is Status.OK
    pool.close()


def test_collect_returns_nothing_when_the_time_is_over() -> None:
    pool = Pool(Controlled(), 4)
    submit(pool, 0)
    assert pool.collect(0.01) == []
    pool.close()


def test_collect_returns_at_once_when_there_is_nothing_inside() -> None:
    assert Pool(Controlled(), 4).collect(None) == []


@pytest.mark.parametrize(
    ("parallelism", "slots", "queues", "inside", "on_platform"),
    [
        (1, 4, True, 1, 1),  # strictly sequential
        (2, 4, True, 3, 2),  # the third waits in the pool
        (4, 4, True, 5, 5),  # the fifth waits in the platform's queue
        (24, 4, True, 5, 5),  # no more suggestions than can be used
        (8, 1_000_000, True, 9, 8),  # elastic: the platform grows with what waits
        (3, 3, False, 4, 3),  # threads: every call runs at once
    ],
)
def test_one_trial_more_than_can_run_waits(
    parallelism: int, slots: int, queues: bool, inside: int, on_platform: int
) -> None:
    transport = Controlled(slots, queues)
    pool = Pool(transport, parallelism)
    assert pool.slots == inside
    submit(pool, *range(inside))
    assert all(transport.entered[id].wait(120) for id in range(on_platform))
    assert not any(transport.entered[id].is_set() for id in range(on_platform, inside))
    assert pool.running == min(parallelism, slots)
    pool.close()


@pytest.mark.parametrize(
    ("room", "most", "inside"), [(4, 4, 5), (1, 100, 3), (20, 100, 26), (90, 100, 101)]
)
def test_without_a_parallelism_there_is_always_something_to_grow_for(
    room: int, most: int, inside: int
) -> None:
    transport = Controlled(most)
    transport.free = room
    pool = Pool(transport)
    assert pool.slots == inside
    pool.close()


def test_slots_that_come_later_are_used() -> None:
    transport = Controlled(slots=1)
    pool = Pool(transport, 8)
    assert pool.slots == 2
    transport.slots = 6
    assert pool.slots == 7
    submit(pool, *range(7))
    assert all(transport.entered[id].wait(120) for id in range(7))
    pool.close()


def test_a_crashed_call_is_its_trials_end_only() -> None:
    transport = Controlled()
    transport.errors[1] = Crashed("the process died")
    pool = Pool(transport, 4)
    submit(pool, 0, 1)
    transport.ends[1].set()
    crashed = drain(pool, 1)[1]
    assert crashed.status is Status.CRASHED
    assert crashed.failure is not None
    assert crashed.failure.message == "the process died"
    transport.ends[0].set()
    assert drain(pool, 1)[0].status is Status.OK
    pool.close()


class Failing(Controlled):
    """Its platform fails under the first calls of each trial."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.calls: list[int] = []

    def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
        self.calls.append(trial.id)
        if self.calls.count(trial.id) <= self.failures:
            raise Lost("the executor was lost")
        return super().evaluate(trial, tag)


@pytest.mark.parametrize(("failures", "status"), [(2, Status.OK), (3, Status.CRASHED)])
def test_a_trial_that_the_platform_lost_is_evaluated_again_so_many_times(
    failures: int, status: Status
) -> None:
    transport = Failing(failures)
    transport.ends[0].set()
    pool = Pool(transport, 4, retries=2)
    submit(pool, 0)
    assert drain(pool, 1)[0].status is status
    assert transport.calls == [0, 0, 0]
    pool.close()


def test_what_the_trial_itself_did_is_not_retried() -> None:
    transport = Controlled()
    transport.errors[0] = Crashed("the process died")
    transport.ends[0].set()
    pool = Pool(transport, 4, retries=2)
    submit(pool, 0)
    assert drain(pool, 1)[0].status is Status.CRASHED
    assert len(transport.tags) == 1
    pool.close()


def test_a_call_cancelled_by_somebody_else_says_so() -> None:
    transport = Controlled()
    transport.errors[0] = CancelledOutside("cancelled in the UI")
    transport.ends[0].set()
    pool = Pool(transport, 4)
    submit(pool, 0)
    outcome = drain(pool, 1)[0]
    assert outcome.status is Status.CANCELLED
    assert outcome.failure is not None
    assert "UI" in outcome.failure.message
    pool.close()


def test_a_lost_platform_ends_the_wait_with_its_error() -> None:
    transport = Controlled()
    transport.errors[0] = SparkUnavailable("stopped")
    transport.ends[0].set()
    pool = Pool(transport, 4)
    submit(pool, 0, 1)
    with pytest.raises(SparkUnavailable, match="stopped"):
        pool.collect(120)
    pool.close()
    assert {outcome.trial_id: outcome.status for outcome in pool.collect(0)} == {
        0: Status.CANCELLED,
        1: Status.CANCELLED,
    }


def test_a_platform_that_answers_no_more_ends_the_wait_though_no_call_does() -> None:
    class Vanishing(Controlled):
        looks = 0

        def lost(self) -> SparkUnavailable | None:
            self.looks += 1
            return SparkUnavailable("silent") if self.looks > 2 else None

    transport = Vanishing()
    pool = Pool(transport, 4, timing=Timing(look=0.05, grace=0.1))
    submit(pool, 0)
    with pytest.raises(SparkUnavailable, match="silent"):
        pool.collect(120)
    pool.close()


def test_cancelling_one_trial_leaves_the_others_running() -> None:
    transport = Controlled()
    pool = Pool(transport, 4)
    submit(pool, 0, 1)
    assert transport.entered[0].wait(120)
    pool.cancel([0])
    assert drain(pool, 1)[0].status is Status.CANCELLED
    transport.ends[1].set()
    assert drain(pool, 1)[1].status is Status.OK
    pool.close()


def test_a_waiting_trial_that_is_cancelled_never_starts() -> None:
    transport = Controlled()
    pool = Pool(transport, 1)
    submit(pool, 0, 1)
    assert transport.entered[0].wait(120)
    pool.cancel([1])
    transport.ends[0].set()
    outcomes = drain(pool, 2)
    assert outcomes[1].status is Status.CANCELLED
    assert not transport.entered[1].is_set()
    pool.close()


def test_a_result_that_arrives_despite_its_cancel_is_kept() -> None:
    transport = Controlled()
    pool = Pool(transport, 4)
    submit(pool, 0)
    assert transport.entered[0].wait(120)
    transport.cancellable = True
    transport.cancel = lambda tag: True  # type: ignore[method-assign]
    pool.cancel([0])
    transport.ends[0].set()
    assert drain(pool, 1)[0].status is Status.OK
    pool.close()


def test_a_trial_beyond_its_time_is_ended_as_timed_out() -> None:
    transport = Controlled()
    pool = Pool(transport, 4, trial_timeout=0.05)
    submit(pool, 0)
    outcome = drain(pool, 1)[0]
    assert outcome.status is Status.TIMEOUT
    assert outcome.failure is not None
    assert "trial_timeout=0.05" in outcome.failure.message
    pool.close()


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Lives:
    """A trial with `trial_timeout=2` on a transport of which the test says what runs, looked at
    every half second of a clock that the test moves.
    """

    def __init__(self, transport: Controlled | None = None, retries: int = 0) -> None:
        self.transport = transport or Controlled()
        self.clock = Clock()
        self.pool = Pool(self.transport, 4, 2.0, retries, clock=self.clock)
        submit(self.pool, 0)
        assert self.transport.entered[0].wait(120)

    def passes(self, seconds: float, runs: bool = True) -> list[Outcome]:
        """What ends in so many seconds."""
        self.transport.waiting_for_a_slot = set() if runs else set(self.transport.tags)
        ended: list[Outcome] = []
        for _ in range(round(seconds / 0.1)):
            self.clock.now += 0.1
            ended += self.pool.collect(0)
        return ended

    @property
    def told_to_end(self) -> bool:
        return self.transport.ends[0].is_set()


def test_the_time_of_a_trial_does_not_run_while_it_waits_for_a_slot() -> None:
    lives = Lives()
    assert lives.passes(5.0, runs=False) == []
    assert lives.passes(1.9) == []
    assert not lives.told_to_end
    lives.passes(0.8)
    assert drain(lives.pool, 1)[0].status is Status.TIMEOUT
    lives.pool.close()


def test_a_trial_that_lost_its_slot_is_charged_for_its_second_life_only() -> None:
    lives = Lives()
    assert lives.passes(1.5) == []
    assert lives.passes(0.6, runs=False) == []
    assert lives.passes(1.9) == []
    assert not lives.told_to_end
    lives.passes(0.8)
    assert lives.told_to_end
    assert drain(lives.pool, 1)[0].status is Status.TIMEOUT
    lives.pool.close()


def test_an_attempt_is_charged_for_its_own_time_only() -> None:
    class Relaying(Controlled):
        """Loses the first attempt when told to; the second begins at once."""

        def __init__(self) -> None:
            super().__init__()
            self.lose, self.again = threading.Event(), threading.Event()

        def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
            if self.entered[trial.id].is_set():
                self.again.set()
                return super().evaluate(trial, tag)
            self.tags[tag] = trial.id
            self.entered[trial.id].set()
            assert self.lose.wait(120)
            raise Lost("the executor was lost")

    transport = Relaying()
    lives = Lives(transport, retries=1)
    assert lives.passes(1.9) == []
    transport.lose.set()
    assert transport.again.wait(120)
    assert lives.passes(1.9) == []
    assert not lives.told_to_end
    lives.passes(0.8)
    assert drain(lives.pool, 1)[0].status is Status.TIMEOUT
    lives.pool.close()


def test_nothing_is_timed_out_while_nobody_knows_what_runs() -> None:
    lives = Lives()
    assert lives.passes(1.0) == []
    knows = lives.transport.running
    lives.transport.running = lambda: None  # type: ignore[method-assign, assignment, return-value]
    assert lives.passes(5.0) == []
    assert not lives.told_to_end
    lives.transport.running = knows  # type: ignore[method-assign]
    lives.passes(0.8)
    assert drain(lives.pool, 1)[0].status is Status.TIMEOUT
    lives.pool.close()


@pytest.mark.parametrize(
    ("state", "runs", "attempt", "after"),
    [
        (State(), False, 1, State()),
        (State(), True, 1, State(Phase.RUNNING, 1, 12.0)),
        (State(Phase.RUNNING, 1, 11.0), True, 1, State(Phase.RUNNING, 1, 11.0)),
        (State(Phase.RUNNING, 1, 11.0), False, 1, State()),
        (State(Phase.RUNNING, 1, 11.0), True, 2, State(Phase.RUNNING, 2, 12.0)),
        (State(Phase.ENDING, 1, 10.2), False, 1, State(Phase.ENDING, 1, 10.2)),
        (State(Phase.ABANDONED, 1), True, 1, State(Phase.ABANDONED, 1)),
    ],
)
def test_phases_follow_what_is_seen(state: State, runs: bool, attempt: int, after: State) -> None:
    assert state.seen(runs, attempt, 10.0, 2.0) == after


def test_a_call_that_is_told_to_end_twice_ends_for_the_first_reason() -> None:
    state = State(Phase.RUNNING, 1, 2.0).told_to_end(2.0, 0.25)
    assert state == State(Phase.ENDING, 1, 2.25)
    state = state.told_to_end(3.0, 0.25)
    assert state == State(Phase.ENDING, 1, 3.25)
    assert state.abandoned() == State(Phase.ABANDONED, 1, float("inf"))
    call = Call((Trial(0, {}), Trial(1, {})), "tag")
    assert not call.tell([1], Status.TIMEOUT)
    assert call.tell([0, 1], Status.CANCELLED)
    assert call.told == {0: Status.CANCELLED, 1: Status.TIMEOUT}


def test_outcomes_beside_a_lost_platform_are_kept() -> None:
    transport = Controlled()
    transport.errors[1] = SparkUnavailable("stopped")
    pool = Pool(transport, 4)
    submit(pool, 0, 1, 2)
    for id in range(3):
        transport.ends[id].set()
    pool._crew.dismiss()
    for thread in pool._crew.threads:
        thread.join(20)
    assert sorted(outcome.trial_id for outcome in pool.collect(120)) == [0, 2]
    with pytest.raises(SparkUnavailable, match="stopped"):
        pool.collect(120)
    pool.close()


def test_what_was_given_out_last_is_given_again_after_close() -> None:
    transport = Controlled()
    transport.ends[0].set()
    pool = Pool(transport, 4)
    submit(pool, 0)
    assert drain(pool, 1)[0].loss == 0.0
    pool.close()
    assert [outcome.trial_id for outcome in pool.collect(0)] == [0]


def test_slots_that_come_while_nothing_ends_end_the_wait() -> None:
    class Growing(Controlled):
        looks = 0

        def lost(self) -> SparkUnavailable | None:  # is asked after the slots were
            self.looks += 1
            self.slots = 1 if self.looks < 3 else 4
            return None

    pool = Pool(Growing(slots=1), 8, timing=Timing(look=0.05))
    submit(pool, 0, 1)
    begun = time.monotonic()
    assert pool.collect(600) == []
    assert time.monotonic() - begun < 60
    assert pool.slots == 5
    pool.close()


def test_calls_that_take_long_keep_no_others_out_after_short_ones() -> None:
    class Timed(Controlled):
        def evaluate(self, trial: Trial, tag: str) -> dict[str, Any]:
            return super().evaluate(trial, tag) | {"started": 1.0, "finished": 1.0}

    transport = Timed()
    pool = Pool(transport, 4, batch=None, timing=Timing(look=600.0))
    pool.expect(100, 0)
    submit(pool, 0, 1, 2)  # they take long
    for id in range(3, 3 + SURE):
        transport.ends[id].set()
        submit(pool, id)
        drain(pool, 1)
    while pool.slots < 5:
        assert pool.collect(600) == []
    pool.close()


def test_a_call_that_cannot_be_ended_is_given_up_and_its_thread_replaced() -> None:
    transport = Controlled(slots=2, queues=False, cancellable=False)
    pool = Pool(transport, 2, trial_timeout=0.05)
    submit(pool, 0, 1)
    outcomes = drain(pool, 2)
    assert {outcome.status for outcome in outcomes.values()} == {Status.TIMEOUT}
    submit(pool, 2)
    assert transport.entered[2].wait(120)
    transport.ends[2].set()
    assert drain(pool, 1)[2].status is Status.OK
    transport.ends[0].set()  # the late result of a trial that was given up counts no more
    assert pool.collect(0.05) == []
    pool.close()


def test_close_cancels_everything_once_and_leaves_no_thread() -> None:
    transport = Controlled()
    pool = Pool(transport, 4)
    submit(pool, *range(5))
    assert all(transport.entered[id].wait(120) for id in range(5))
    pool.close()
    pool.close()
    assert transport.closed == 1
    assert {outcome.status for outcome in pool.collect(0)} == {Status.CANCELLED}
    for thread in pool._crew.threads:
        thread.join(120)
        assert not thread.is_alive()


def test_a_call_cancelled_before_it_reached_the_platform_is_cancelled_again() -> None:
    transport = Controlled()
    cancels: list[str] = []
    real = transport.cancel

    def deaf_at_first(tag: str) -> bool:
        cancels.append(tag)
        return real(tag) if len(cancels) > 2 else True

    transport.cancel = deaf_at_first  # type: ignore[method-assign]
    pool = Pool(transport, 4)
    submit(pool, 0)
    assert transport.entered[0].wait(120)
    pool.cancel([0])
    assert drain(pool, 1)[0].status is Status.CANCELLED
    assert len(cancels) == 3
    pool.close()


def test_what_does_not_end_while_the_pool_is_closed_is_cancelled_until_it_has() -> None:
    """A call that reaches the platform late would run there, and nobody would end it."""

    class Late(Controlled):
        arrived = threading.Event()
        left = threading.Event()

        def cancel(self, tag: str) -> bool:
            assert not self.closed, "asked after it was closed"
            return super().cancel(tag) if self.arrived.is_set() else True

        def close(self) -> None:
            super().close()
            self.left.set()

    transport = Late()
    pool = Pool(transport, 4, timing=Timing(look=0.05, again=0.02, grace=0.1))
    submit(pool, 0, 1)
    assert transport.entered[0].wait(120)
    assert transport.entered[1].wait(120)
    pool.close()
    ended = [(outcome.trial_id, outcome.status) for outcome in pool.collect(None)]
    assert ended == [(0, Status.CANCELLED), (1, Status.CANCELLED)]
    assert not transport.left.is_set()
    transport.arrived.set()
    assert transport.left.wait(120)
    for thread in pool._crew.threads:
        thread.join(20)
        assert not thread.is_alive()
    assert transport.closed == 1
    assert len(pool.collect(None)) == 2


def test_what_does_not_end_is_left_alone_once_the_platform_is_gone() -> None:
    class Frozen(Controlled):
        left = threading.Event()

        def cancel(self, tag: str) -> bool:
            return True

        def close(self) -> None:
            self.left.set()

    transport = Frozen()
    pool = Pool(transport, 4, timing=Timing(look=0.05, again=0.02, grace=0.1))
    submit(pool, 0)
    assert transport.entered[0].wait(120)
    pool.close()
    assert not transport.left.is_set()
    transport.gone = SparkUnavailable("gone")
    assert transport.left.wait(120)
    transport.ends[0].set()


def test_a_platform_that_cannot_prepare_a_thread_ends_the_run() -> None:
    class Unprepared(Controlled):
        def bind(self, target: Any) -> Any:
            def bound() -> None:
                raise SparkUnavailable("gone before the first call")

            return bound

    pool = Pool(Unprepared(), 4)
    submit(pool, 0)
    with pytest.raises(SparkUnavailable, match="gone before the first call"):
        pool.collect(120)
    pool.close()
    assert [outcome.status for outcome in pool.collect(0)] == [Status.CANCELLED]
