"""The loop, on simulated time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidLoss, JournalFailed
from sparktune.events import Asked, Begun, Event, Stopped, Told
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.loop import FINISHED, INTERRUPTED, run
from sparktune.samplers import random
from sparktune.schedulers import FullBudget
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.stopping import LossThreshold, Never, NoProgress, Stopper, Timeout
from sparktune.study import Study
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Outcome, Status, Trial

SPACE = Space({"x": hp.uniform("x", 0, 1)})


class Bench:
    """A study, an executor in simulated time, and the events of their run."""

    def __init__(
        self,
        objective: Callable[[Trial], Any] = lambda trial: trial.values["x"],
        *,
        n: int | None = 10,
        slots: int = 2,
        seconds: Callable[[Trial], float] = lambda trial: 1.0,
        executor: type[SimulatedExecutor] = SimulatedExecutor,
    ) -> None:
        self.clock = Clock()
        self.study = Study(SPACE, random.suggest, FullBudget(n), 0, clock=self.clock)
        task = Task(objective, lambda trial: trial)
        self.executor = executor(task, slots, seconds, self.clock)
        self.events: list[Event] = []

    def run(self, stopper: Stopper | None = None, raise_errors: bool = False) -> str:
        return run(
            self.study,
            self.executor,
            stopper or Never(),
            [self.observe],
            raise_errors=raise_errors,
        )

    def observe(self, event: Event, history: View) -> None:
        self.events.append(event)

    @property
    def statuses(self) -> list[Status]:
        return [self.study.records[id].status for id in sorted(self.study.records)]

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Stopped)]


# How a run ends


def test_a_run_ends_when_all_trials_are_done() -> None:
    bench = Bench(n=5)
    assert bench.run() == FINISHED
    assert bench.statuses == [Status.OK] * 5
    assert bench.clock.now == 3.0  # two at a time, a second each
    assert bench.reasons == [FINISHED]


def test_a_run_of_no_trials_ends_at_once() -> None:
    bench = Bench(n=0)
    assert bench.run() == FINISHED
    assert bench.events == [Stopped(FINISHED)]


def test_a_timeout_ends_a_run_in_the_middle_of_a_trial() -> None:
    bench = Bench(n=None, seconds=lambda trial: 1.0 if trial.id < 2 else 100.0)
    assert bench.run(Timeout(7.5)) == "timeout"
    assert bench.clock.now == 7.5
    assert bench.statuses == [Status.OK] * 2 + [Status.CANCELLED] * 2
    assert [bench.study.records[id].finished for id in (2, 3)] == [7.5, 7.5]


def test_a_timeout_that_is_over_ends_a_run_before_its_first_trial() -> None:
    bench = Bench()
    assert bench.run(Timeout(0.0)) == "timeout"
    assert bench.study.records == {}


def test_a_loss_below_the_threshold_ends_a_run() -> None:
    bench = Bench(lambda trial: 1.0 - trial.id, slots=1)
    assert bench.run(LossThreshold(-2.0)) == "loss threshold"
    assert bench.statuses == [Status.OK] * 5


def test_no_progress_ends_a_run() -> None:
    bench = Bench(lambda trial: 1.0, slots=1)
    assert bench.run(NoProgress(3)) == "no progress"
    assert bench.statuses == [Status.OK] * 3


def test_the_first_of_two_rules_ends_a_run() -> None:
    bench = Bench(lambda trial: -float(trial.id), n=None, slots=1)
    assert bench.run(Timeout(100.0) | LossThreshold(-6.0)) == "loss threshold"
    bench = Bench(lambda trial: -float(trial.id), n=None, slots=1)
    assert bench.run(Timeout(3.5) | LossThreshold(-6.0)) == "timeout"


def test_running_trials_are_cancelled_and_recorded_at_the_end() -> None:
    bench = Bench(lambda trial: float(trial.id), slots=4, seconds=lambda trial: 1.0 + trial.id)
    assert bench.run(LossThreshold(1.0)) == "loss threshold"
    assert bench.statuses == [Status.OK] + [Status.CANCELLED] * 3
    assert bench.study.running == set()
    cancelled = [event for event in bench.events if isinstance(event, Told)][1:]
    assert [event.outcome.status for event in cancelled] == [Status.CANCELLED] * 3
    assert isinstance(bench.events[-1], Stopped)


# Interruptions and errors


def test_ctrl_c_leaves_no_trial_running() -> None:
    def objective(trial: Trial) -> float:
        if trial.id == 3:
            raise KeyboardInterrupt
        return 1.0

    bench = Bench(objective, slots=3)
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    assert bench.statuses == [Status.OK] * 3 + [Status.CANCELLED] * 3
    assert bench.study.running == set()
    assert bench.reasons == [INTERRUPTED]


def test_an_error_of_an_objective_is_recorded_and_the_run_goes_on() -> None:
    def objective(trial: Trial) -> float:
        return 1 / (trial.id - 1)

    bench = Bench(objective, n=3, slots=1)
    assert bench.run() == FINISHED
    assert bench.statuses == [Status.OK, Status.ERROR, Status.OK]
    failure = bench.study.records[1].failure
    assert failure is not None
    assert (failure.type, failure.message) == ("ZeroDivisionError", "division by zero")


def test_an_error_ends_the_run_where_errors_are_raised() -> None:
    def objective(trial: Trial) -> float:
        return 1 / (trial.id - 1)

    bench = Bench(objective, slots=1)
    with pytest.raises(ZeroDivisionError):
        bench.run(raise_errors=True)
    assert bench.statuses == [Status.OK, Status.ERROR]
    assert bench.reasons == [INTERRUPTED]


def test_a_bad_result_is_raised_as_an_error_of_its_own() -> None:
    bench = Bench(lambda trial: {"loss": "much", "status": "ok"})
    with pytest.raises(InvalidLoss, match="loss 'much'"):
        bench.run(raise_errors=True)


def test_a_trial_that_says_it_failed_is_not_raised() -> None:
    bench = Bench(lambda trial: {"status": "fail"}, n=3)
    assert bench.run(raise_errors=True) == FINISHED
    assert bench.statuses == [Status.FAIL] * 3


def test_an_observer_that_fails_is_left_out_and_costs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(slots=3)
    calls: list[Event] = []

    def observe(event: Event, history: View) -> None:
        calls.append(event)
        if isinstance(event, Told):
            raise OSError("disk full")

    reason = run(bench.study, bench.executor, Never(), [observe, bench.observe])
    assert bench.reasons == [reason]
    assert set(bench.statuses) == {Status.OK}
    assert sum(isinstance(event, Told) for event in calls) == 1
    assert "disk full" in caplog.text


class Interrupted(SimulatedExecutor):
    """Is interrupted by a second Ctrl-C while it closes."""

    def close(self) -> None:
        super().close()
        raise KeyboardInterrupt


def test_an_interrupt_while_closing_leaves_no_trial_running() -> None:
    bench = Bench(n=None, executor=Interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.run(Timeout(0.5))
    assert bench.study.running == set()
    assert len(bench.reasons) == 1


class Finishing(SimulatedExecutor):
    """Ends what runs when closed, instead of cancelling it."""

    def close(self) -> None:
        self._ended = self.collect(None)


def test_outcomes_that_arrive_while_the_executor_closes_are_kept() -> None:
    bench = Bench(n=None, executor=Finishing)
    assert bench.run(Timeout(0.5)) == "timeout"
    assert bench.statuses == [Status.OK] * 2


class Forgetting(SimulatedExecutor):
    """Loses what runs when closed."""

    def close(self) -> None:
        self._running.clear()


def test_trials_without_an_outcome_at_the_end_are_recorded_as_cancelled() -> None:
    bench = Bench(n=None, executor=Forgetting)
    assert bench.run(Timeout(0.5)) == "timeout"
    assert bench.statuses == [Status.CANCELLED] * 2


# The last steps


class Stubborn(SimulatedExecutor):
    """Fails when it is closed, and afterwards."""

    closed = False

    def close(self) -> None:
        self.closed = True
        raise RuntimeError("cannot schedule new futures after shutdown")

    def collect(self, timeout: float | None) -> list[Outcome]:
        if self.closed:
            raise RuntimeError("not after it was closed")
        return super().collect(timeout)


def test_an_executor_that_cannot_be_closed_leaves_no_trial_running_and_hides_no_result(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(n=None, seconds=lambda trial: 1.0 + trial.id, executor=Stubborn)
    assert bench.run(Timeout(1.5)) == "timeout"
    assert bench.statuses == [Status.OK] + [Status.CANCELLED] * 2
    assert bench.study.running == set()
    assert bench.reasons == ["timeout"]
    assert "cannot schedule new futures" in caplog.text


def test_what_fails_at_the_end_does_not_hide_why_the_run_ended() -> None:
    class Interrupting(Stubborn):
        def close(self) -> None:
            raise KeyboardInterrupt

    def objective(trial: Trial) -> float:
        raise LookupError("the reason")

    for kind in (Stubborn, Interrupting):
        bench = Bench(objective, executor=kind)
        with pytest.raises(LookupError, match="the reason"):
            bench.run(raise_errors=True)
        assert bench.reasons == [INTERRUPTED]
        assert bench.study.running == set()


def test_an_observer_that_is_interrupted_at_the_end_keeps_nobody_from_hearing_the_rest() -> None:
    bench = Bench(n=None)

    def observe(event: Event, history: View) -> None:
        if isinstance(event, Told) and event.outcome.status is Status.CANCELLED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(bench.study, bench.executor, Timeout(0.5), [bench.observe, observe])
    assert bench.statuses == [Status.CANCELLED] * 2
    assert sum(isinstance(event, Told) for event in bench.events) == 2
    assert bench.reasons == ["timeout"]


@pytest.mark.parametrize("written", [1, 2, 3, 5])
def test_a_journal_that_fails_ends_the_run_and_costs_no_result(written: int) -> None:
    bench = Bench(n=4, executor=Finishing)
    lines: list[Event] = []

    def journal(events: Sequence[Event]) -> None:
        if len(lines) >= written:
            raise JournalFailed("No space left on device")
        lines.extend(event for event in events if not isinstance(event, Begun))

    clock = bench.clock
    bench.study = Study(SPACE, random.suggest, FullBudget(4), 0, journal=journal, clock=clock)
    with pytest.raises(JournalFailed, match="No space left on device"):
        bench.run()
    assert bench.study.running == set()
    assert set(bench.statuses) == {Status.OK}
    assert all(trial.finished is not None for trial in bench.study.records.values())
    told = {event.trial.id for event in bench.events if isinstance(event, Told)}
    assert told == set(bench.study.records)
    assert len(bench.reasons) == 1


# Events


def test_observers_hear_of_every_event_in_order_with_the_history_as_it_is_then() -> None:
    heard: list[tuple[str, int | None, int, int]] = []

    def observe(event: Event, history: View) -> None:
        id = event.trial.id if isinstance(event, Asked | Told) else None
        heard.append((type(event).__name__, id, len(history), int(history.ok.sum())))

    bench = Bench(n=2, slots=1)
    run(bench.study, bench.executor, Never(), [observe])
    assert heard == [
        ("Asked", 0, 1, 0),
        ("Told", 0, 1, 1),
        ("Asked", 1, 2, 1),
        ("Told", 1, 2, 2),
        ("Stopped", None, 2, 2),
    ]


def test_many_free_slots_are_filled_in_turns_so_that_none_waits_for_the_last_suggestion() -> None:
    heard: list[int] = []

    class Listening(SimulatedExecutor):
        def collect(self, timeout: float | None) -> list[Outcome]:
            heard.append(self.running)
            return super().collect(timeout)

    bench = Bench(n=300, slots=300, executor=Listening)
    assert bench.run() == FINISHED
    assert heard[:3] == [128, 256, 300]
    assert bench.clock.now == 1.0


def test_every_trial_is_asked_once_and_told_once() -> None:
    bench = Bench(n=50, slots=7, seconds=lambda trial: 1.0 + trial.id % 5)
    bench.run()
    for kind in (Asked, Told):
        heard = [event.trial.id for event in bench.events if isinstance(event, kind)]
        assert sorted(heard) == list(range(50))


def test_a_thousand_trials_leave_no_slot_idle() -> None:
    durations = np.random.default_rng(0).exponential(10.0, size=1000)
    bench = Bench(n=1000, slots=32, seconds=lambda trial: float(durations[trial.id]))
    assert bench.run() == FINISHED
    # Graham's bound for any schedule that never leaves a slot idle while there is work.
    assert bench.clock.now <= durations.sum() / 32 + durations.max()
    assert bench.statuses == [Status.OK] * 1000


def test_a_study_with_pending_trials_evaluates_them_again() -> None:
    bench = Bench(n=4)
    bench.study.ask(2)
    resumed = Study(SPACE, random.suggest, FullBudget(4), 0, bench.study.records, clock=bench.clock)
    values = {id: trial.values for id, trial in resumed.records.items()}
    assert run(resumed, bench.executor, Never()) == FINISHED
    assert [trial.status for trial in resumed.records.values()] == [Status.OK] * 4
    assert {id: resumed.records[id].values for id in values} == values


# The simulated executor itself


def test_simulated_trials_take_simulated_time() -> None:
    bench = Bench(seconds=lambda trial: 3.0 - trial.id)
    for id in (0, 1):
        bench.executor.submit(Trial(id, {"x": 0.5}))
    assert bench.executor.collect(1.5) == []
    assert bench.clock.now == 1.5
    [second] = bench.executor.collect(None)
    assert (second.trial_id, second.loss, second.started, second.finished) == (1, 0.5, 0.0, 2.0)
    bench.executor.cancel([0])
    assert bench.executor.collect(None) == [Outcome(0, Status.CANCELLED, started=0.0, finished=2.0)]
    assert bench.executor.collect(None) == []


def test_simulated_slots_are_not_overfilled() -> None:
    bench = Bench(slots=1)
    bench.executor.submit(Trial(0, {"x": 0.5}))
    with pytest.raises(RuntimeError, match="trial 1 was submitted while all slots were taken"):
        bench.executor.submit(Trial(1, {"x": 0.5}))
