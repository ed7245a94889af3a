"""The study: ids, seeds, records and events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from sparktune.history import View
from sparktune.samplers import Sampler, random, tpe
from sparktune.schedulers import FullBudget, New
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.stopping import NoProgressFor, Stopper, Timeout
from sparktune.study import Study
from sparktune.testing import Clock
from sparktune.trial import Asked, Outcome, Status, Stopped, Told, Trial

SPACE = Space({"x": hp.uniform("x", 0, 1), "k": hp.choice("k", [hp.normal("y", 0, 1), "none"])})


def study(
    records: dict[int, Trial] | None = None,
    n: int | None = None,
    sampler: Sampler = random.suggest,
    seed: int = 7,
    clock: Clock | None = None,
) -> Study:
    return Study(SPACE, sampler, FullBudget(n), seed, records, clock=clock or Clock())


def ids(asked: list[Asked]) -> list[int]:
    return [event.trial.id for event in asked]


def end(trial: Trial, loss: float = 1.0) -> Outcome:
    return Outcome(trial.id, Status.OK, loss, {"loss": loss, "status": "ok"})


def play(a_study: Study, steps: int) -> None:
    """Trials one after the other, the loss being x."""
    for _ in range(steps):
        [asked] = a_study.ask(1)
        a_study.tell(end(asked.trial, float(asked.trial.values["x"])))


# Ask


def test_ids_count_up_from_zero() -> None:
    a_study = study()
    assert ids(a_study.ask(3)) == [0, 1, 2]
    assert ids(a_study.ask(2)) == [3, 4]


def test_ids_go_on_after_the_largest_known_one() -> None:
    old = Trial(41, {"x": 0.5, "k": 1}, Status.ERROR)
    assert ids(study({41: old}).ask(2)) == [42, 43]


def test_an_asked_trial_is_running_and_recorded() -> None:
    a_study = study(clock=Clock(100.0))
    [asked] = a_study.ask(1)
    assert asked.trial.status is Status.RUNNING
    assert asked.trial.asked == 100.0
    assert asked.trial.budget == 1.0
    assert a_study.records == {0: asked.trial}
    assert a_study.running == {0}
    assert a_study.history.pending.tolist() == [True]


def test_records_hold_python_scalars_of_the_active_parameters() -> None:
    for asked in study().ask(20):
        values = asked.trial.values
        assert set(values) == ({"x", "k", "y"} if values["k"] == 0 else {"x", "k"})
        assert {type(value) for value in values.values()} == {int, float}


def test_nothing_is_asked_beyond_the_schedulers_end() -> None:
    a_study = study(n=3)
    assert ids(a_study.ask(5)) == [0, 1, 2]
    assert a_study.ask(5) == []


@dataclass(frozen=True)
class Exhausted:
    """A sampler with one point left."""

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        return space.sample(rng, min(n, 1))


def test_a_sampler_may_have_fewer_points_than_asked_for() -> None:
    a_study = study(sampler=Exhausted())
    assert ids(a_study.ask(5)) == [0]
    assert ids(a_study.ask(5)) == [1]


@dataclass(frozen=True)
class Halves:
    """A scheduler of half budgets."""

    def schedule(self, history: View, free: int) -> list[New]:
        return [New(0.5)] * free


def test_a_trial_gets_the_budget_of_its_work_item() -> None:
    a_study = Study(SPACE, random.suggest, Halves(), 0)
    assert [asked.trial.budget for asked in a_study.ask(2)] == [0.5, 0.5]
    assert a_study.history.budget.tolist() == [0.5, 0.5]


# Tell


def test_a_told_trial_is_ended_and_recorded() -> None:
    clock = Clock(5.0)
    a_study = study(clock=clock)
    [asked] = a_study.ask(1)
    outcome = replace(end(asked.trial, 0.25), started=6.0, finished=9.0)
    clock.until(9.5)
    told = a_study.tell(outcome)
    assert told == Told(asked.trial.told(outcome), outcome)
    assert a_study.records == {0: told.trial}
    assert a_study.running == set()
    history = a_study.history
    assert (history.loss[0], history.finished[0], history.best) == (0.25, 9.0, 0.25)
    assert len(history) == 1


def test_outcomes_may_come_in_any_order() -> None:
    a_study = study()
    trials = [asked.trial for asked in a_study.ask(3)]
    for trial in reversed(trials):
        a_study.tell(end(trial, float(trial.id)))
    assert a_study.history.loss.tolist() == [0.0, 1.0, 2.0]


def test_the_best_trial_has_the_smallest_usable_loss_the_earliest_of_equals() -> None:
    a_study = study()
    assert a_study.best is None
    trials = [asked.trial for asked in a_study.ask(5)]
    for trial, loss in zip(trials, (3.0, 1.0, 1.0, 2.0), strict=False):
        a_study.tell(end(trial, loss))
    a_study.tell(Outcome(4, Status.FAIL, -9.0))
    assert a_study.best is not None
    assert a_study.best.id == 1


def test_a_stop_changes_nothing() -> None:
    a_study = study()
    play(a_study, 2)
    before = dict(a_study.records)
    a_study.apply(Stopped("timeout"))
    assert a_study.records == before


def test_applying_the_events_of_one_study_makes_another_equal() -> None:
    first, second = study(), study()
    events: list[Asked | Told] = []
    for _ in range(3):
        asked = first.ask(2)
        events += [*asked, first.tell(end(asked[0].trial))]
    for event in events:
        second.apply(event)
    assert second.records == first.records
    assert second.running == first.running
    np.testing.assert_array_equal(second.history.X, first.history.X)
    assert second.ask(1) == first.ask(1)


# Seeds and resuming

SAMPLERS = pytest.mark.parametrize(
    "sampler", [random.suggest, tpe.suggest(n_startup_jobs=5)], ids=["random", "tpe"]
)


@SAMPLERS
def test_equal_seeds_and_results_give_equal_trials(sampler: Sampler) -> None:
    first, second, other = (study(sampler=sampler, seed=seed) for seed in (7, 7, 8))
    for each in (first, second, other):
        play(each, 12)
    assert first.records == second.records
    values = [[trial.values for trial in each.records.values()] for each in (first, other)]
    assert not any(mine == theirs for mine, theirs in zip(*values, strict=True))


@SAMPLERS
@pytest.mark.parametrize("cut", [1, 5, 6, 11])
def test_a_resumed_study_goes_on_as_the_uninterrupted_one(sampler: Sampler, cut: int) -> None:
    whole = study(sampler=sampler)
    play(whole, 12)
    resumed = study({id: whole.records[id] for id in range(cut)}, sampler=sampler)
    play(resumed, 12 - cut)
    assert resumed.records == whole.records


def test_no_ask_repeats_the_random_numbers_of_another() -> None:
    a_study = study()
    play(a_study, 20)
    assert len({trial.values["x"] for trial in a_study.records.values()}) == 20


def test_trials_that_never_ended_are_handed_out_again_first() -> None:
    point = {"x": 0.5, "k": 1}
    records = {
        0: Trial(0, point, Status.OK, loss=1.0),
        1: Trial(1, point, Status.RUNNING, asked=1.0),
        2: Trial(2, point, Status.CANCELLED),
        3: Trial(3, {"x": 0.25, "k": 1}),
        4: Trial(4, point, Status.RUNNING),
    }
    a_study = study(records, n=7, clock=Clock(50.0))
    assert a_study.running == set()
    first, second = a_study.ask(2), a_study.ask(9)
    assert (ids(first), ids(second)) == ([1, 3], [4, 5, 6])
    assert first[1].trial == Trial(3, {"x": 0.25, "k": 1}, Status.RUNNING, asked=50.0)
    assert a_study.running == {1, 3, 4, 5, 6}
    assert len(a_study.history) == 7


def test_records_of_another_space_leave_their_columns_empty() -> None:
    a_study = study({0: Trial(0, {"x": 0.5, "foreign": 3}, Status.OK, loss=1.0)})
    [row] = a_study.history.X
    assert SPACE.values(row) == {"x": 0.5}


def test_the_history_knows_when_the_run_began_and_what_time_it_is() -> None:
    clock = Clock(10.0)
    a_study = study(clock=clock)
    clock.now = 30.0
    assert (a_study.history.begun, a_study.history.now) == (10.0, 30.0)


# Scheduler


@pytest.mark.parametrize(("limit", "free", "work"), [(None, 4, 4), (5, 4, 3), (2, 4, 0), (1, 4, 0)])
def test_full_budget_schedules_what_is_left(limit: int | None, free: int, work: int) -> None:
    a_study = study()
    a_study.ask(2)
    assert FullBudget(limit).schedule(a_study.history, free) == [New(1.0)] * work


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
@pytest.mark.parametrize("limit", [Timeout(60.0), NoProgressFor(60.0)])
def test_a_clock_that_is_set_changes_neither_time_limit(jump: float, limit: Stopper) -> None:
    class Set(Clock):
        """A wall clock that is set while the monotonic one goes on."""

        offset = 0.0

        def __call__(self) -> float:
            return self.now + self.offset

        @property
        def timer(self) -> Callable[[], float]:
            return lambda: self.now

    clock = Set(1_000_000.0)
    study = Study(SPACE, random.suggest, FullBudget(None), 0, clock=clock)
    stopped_at = []
    for losses in range(30):
        [asked] = study.ask(1)
        clock.now += 4.0
        study.tell(Outcome(asked.trial.id, Status.OK, float(losses), finished=clock()))
        clock.offset = jump if losses >= 2 else 0.0
        if limit.stop(study.history):
            stopped_at.append(clock.now - 1_000_000.0)
    begun = 0.0 if isinstance(limit, Timeout) else 4.0  # when the best trial ended
    assert stopped_at[0] == begun + 60.0
    assert limit.wake_at(study.history) - study.history.now == begun + 60.0 - 120.0
    assert study.records[20].asked == 1_000_000.0 + 80.0 + jump
