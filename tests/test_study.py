"""The study: ids, seeds, records and events."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.events import Event, Stopped
from sparktune.history import View
from sparktune.samplers import Sampler, random, tpe
from sparktune.schedulers import FullBudget, New
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.stopping import NoProgressFor, Stopper, Timeout, wake_at
from sparktune.study import Study
from sparktune.testing import Clock
from sparktune.trial import Failure, Outcome, Status, Trial

SPACE = Space({"x": hp.uniform("x", 0, 1), "k": hp.choice("k", [hp.normal("y", 0, 1), "none"])})


def study(
    records: dict[int, Trial] | None = None,
    n: int | None = None,
    sampler: Sampler = random.suggest,
    seed: int = 7,
    clock: Clock | None = None,
) -> Study:
    return Study(SPACE, sampler, FullBudget(n), seed, records, clock=clock or Clock())


def ids(asked: list[Trial]) -> list[int]:
    return [trial.id for trial in asked]


def end(trial: Trial, loss: float = 1.0) -> Outcome:
    return Outcome(trial.id, Status.OK, loss, {"loss": loss, "status": "ok"})


def play(a_study: Study, steps: int) -> None:
    """Trials one after the other, the loss being x."""
    for _ in range(steps):
        [asked] = a_study.ask(1)
        a_study.tell(asked, end(asked, float(asked.values["x"])))


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
    assert asked.status is Status.RUNNING
    assert asked.asked == 100.0
    assert asked.budget == 1.0
    assert a_study.records == {0: asked}
    assert a_study.running == {0}
    assert a_study.history.pending.tolist() == [True]


def test_records_hold_python_scalars_of_the_active_parameters() -> None:
    for asked in study().ask(20):
        values = asked.values
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


def test_suggestions_that_depend_on_results_are_not_made_far_ahead() -> None:
    a_study = study(sampler=tpe.suggest)
    assert a_study.ahead == 0
    for trial in a_study.ask(17)[:16]:
        a_study.tell(trial, 0.0)
    assert a_study.ahead == 2
    for _ in range(50):
        a_study.enqueue({"x": 0.5, "k": 1})
    assert a_study.ahead == 50
    assert study(sampler=random.suggest).ahead == float("inf")
    assert study(sampler=Exhausted()).ahead == 0  # it does not say


@dataclass(frozen=True)
class Halves:
    """A scheduler of half budgets."""

    def schedule(self, history: View, free: int) -> list[New]:
        return [New(0.5)] * free

    def scores(self, history: View) -> View:
        return history


def test_a_trial_gets_the_budget_of_its_work_item() -> None:
    a_study = Study(SPACE, random.suggest, Halves(), 0)
    assert [trial.budget for trial in a_study.ask(2)] == [0.5, 0.5]
    assert a_study.history.budget.tolist() == [0.5, 0.5]


# Tell


def test_a_told_trial_is_ended_and_recorded() -> None:
    clock = Clock(5.0)
    a_study = study(clock=clock)
    [asked] = a_study.ask(1)
    outcome = replace(end(asked, 0.25), started=6.0, finished=9.0)
    clock.until(9.5)
    told = a_study.tell(asked, outcome)
    assert told == asked.told(outcome)
    assert a_study.records == {0: told}
    assert a_study.running == set()
    history = a_study.history
    assert (history.loss[0], history.finished[0], history.best) == (0.25, 9.0, 0.25)
    assert len(history) == 1


def test_outcomes_may_come_in_any_order() -> None:
    a_study = study()
    trials = a_study.ask(3)
    for trial in reversed(trials):
        a_study.tell(trial, end(trial, float(trial.id)))
    assert a_study.history.loss.tolist() == [0.0, 1.0, 2.0]


def test_the_best_trial_has_the_smallest_usable_loss_the_earliest_of_equals() -> None:
    a_study = study()
    assert a_study.best is None
    trials = a_study.ask(5)
    for trial, loss in zip(trials, (3.0, 1.0, 1.0, 2.0), strict=False):
        a_study.tell(trial, end(trial, loss))
    a_study.tell(4, Outcome(4, Status.FAIL, -9.0))
    assert a_study.best is not None
    assert a_study.best.id == 1


def test_a_stop_changes_nothing() -> None:
    a_study = study()
    play(a_study, 2)
    before = dict(a_study.records)
    a_study.replay([Stopped("timeout")])
    assert a_study.records == before


def test_replaying_the_events_of_one_study_makes_another_equal() -> None:
    events: list[Event] = []
    first, second = Study(SPACE, "random", seed=7, journal=events.extend, clock=Clock()), study()
    for _ in range(3):
        asked = first.ask(2)
        first.tell(asked[0], end(asked[0]))
    second.replay(events)
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
    assert first[1] == Trial(3, {"x": 0.25, "k": 1}, Status.RUNNING, asked=50.0)
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
        study.tell(asked, Outcome(asked.id, Status.OK, float(losses), finished=clock()))
        clock.offset = jump if losses >= 2 else 0.0
        if limit.stop(study.history):
            stopped_at.append(clock.now - 1_000_000.0)
    begun = 0.0 if isinstance(limit, Timeout) else 4.0  # when the best trial ended
    assert stopped_at[0] == begun + 60.0
    assert wake_at(limit, study.history) - study.history.now == begun + 60.0 - 120.0
    assert study.records[20].asked == 1_000_000.0 + 80.0 + jump


# Alone, without a loop


def test_a_study_needs_nothing_but_a_space() -> None:
    a_study = Study({"x": hp.uniform("x", -10, 10)}, seed=1)
    for _ in range(30):
        [trial] = a_study.ask()
        a_study.tell(trial, (a_study.config(trial)["x"] - 3) ** 2)
    assert a_study.best is not None
    assert a_study.best.loss is not None
    assert a_study.best.loss < 1
    assert a_study.best_params == {"x": a_study.best.values["x"]}


@pytest.mark.parametrize(
    ("result", "status", "loss"),
    [
        (0.5, Status.OK, 0.5),
        (np.float32(0.5), Status.OK, 0.5),
        ({"loss": 2, "status": "ok", "more": [1]}, Status.OK, 2.0),
        ({"status": "fail"}, Status.FAIL, None),
        (float("inf"), Status.OK, float("inf")),
        (ValueError("broken"), Status.ERROR, None),
        (Failure("Broken", "the oven"), Status.ERROR, None),
        (Outcome(99, Status.CRASHED), Status.CRASHED, None),
    ],
)
def test_a_result_may_be_many_things(result: object, status: Status, loss: float | None) -> None:
    a_study = study(clock=Clock(3.0))
    [trial] = a_study.ask()
    told = a_study.tell(trial.id, result)
    assert (told.id, told.status, told.loss, told.finished) == (0, status, loss, 3.0)
    assert a_study.trials == {0: told}


@pytest.mark.parametrize("result", ["good", None, {"loss": 1}, Outcome(0, Status.RUNNING)])
def test_what_is_not_a_result_is_refused(result: object) -> None:
    a_study = study()
    [trial] = a_study.ask()
    with pytest.raises(InvalidArgument, match="result must be a loss"):
        a_study.tell(trial, result)
    assert a_study.running == {0}


def test_a_point_never_asked_for_becomes_a_trial() -> None:
    events: list[Event] = []
    a_study = Study(SPACE, seed=1, journal=events.extend)
    told = a_study.tell({"x": 0.5, "k": 1}, 0.25)
    assert (told.id, told.status, told.loss) == (0, Status.OK, 0.25)
    assert [type(event).__name__ for event in events] == ["Begun", "Asked", "Told"]
    assert a_study.ask()[0].id == 1
    again = Study(SPACE)
    again.replay(events)
    assert again.trials[0] == told


def test_a_point_that_runs_or_waits_is_told_by_its_values() -> None:
    a_study = study()
    [trial] = a_study.ask()
    waiting = a_study.enqueue({"x": 0.5, "k": 1})
    assert a_study.tell(trial.values, 1.0).id == trial.id
    assert a_study.tell({"k": 1, "x": 0.5}, 1.0).id == waiting.id
    assert a_study.tell(trial.values, 2.0).id == 2
    assert ids(a_study.ask(1)) == [3]


def test_enqueued_points_come_first() -> None:
    a_study = study()
    points = [{"x": 0.25, "k": 1}, {"x": 2.0, "k": 0, "y": 0.0}]
    waiting = [a_study.enqueue(point) for point in points]
    assert [trial.status for trial in waiting] == [Status.NEW] * 2
    asked = a_study.ask(3)
    assert [dict(trial.values) for trial in asked[:2]] == points
    assert ids(asked) == [0, 1, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"x": 0.5}, "lacks a value for 'k'"),
        ({"x": "a", "k": 1}, "must be a number"),
        (3, "a dict"),
    ],
)
def test_points_of_other_spaces_are_refused(values: Any, message: str) -> None:
    a_study = study()
    with pytest.raises(InvalidArgument, match=message):
        a_study.enqueue(values)
    assert a_study.ask(0) == []
    assert a_study.records == {}


def test_a_trial_is_told_once_and_must_be_known() -> None:
    a_study, other = study(), study(seed=8)
    [trial], [foreign] = a_study.ask(), other.ask()
    a_study.tell(trial, 1.0)
    with pytest.raises(InvalidArgument, match=r"trial 0 has ended already \(ok\)"):
        a_study.tell(0, 2.0)
    for unknown in (7, None, foreign):
        with pytest.raises(InvalidArgument, match=r"there is no trial .* which has 1 trials"):
            a_study.tell(unknown, 2.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="n must be an integer >= 0"):
        a_study.ask(-1)


def test_an_id_may_be_from_a_table() -> None:
    a_study = study()
    [trial] = a_study.ask()
    id = np.arange(1)[0]
    assert a_study.config(id) == a_study.config(trial)
    assert a_study.tell(id, 1.0).id == 0
    for wrong in (True, 0.0):
        with pytest.raises(InvalidArgument, match="there is no trial"):
            a_study.config(wrong)  # type: ignore[arg-type]


def test_the_objective_receives_the_config() -> None:
    a_study = study()
    trial = a_study.enqueue({"x": 0.5, "k": 1})
    wanted = {"x": 0.5, "k": "none"}
    assert a_study.config(trial) == a_study.config(0) == a_study.config(trial.values) == wanted


def test_a_pickled_study_goes_on_where_it_was() -> None:
    a_study = study(sampler=tpe.suggest(n_startup_jobs=5))
    play(a_study, 8)
    a_study.ask(2)
    a_study.enqueue({"x": 0.5, "k": 1})
    copy = pickle.loads(pickle.dumps(a_study))
    for each in (a_study, copy):
        each.tell(9, 1.0)
        assert each.running == {8}
    assert copy.ask(3) == a_study.ask(3)
    assert copy.records == a_study.records


def test_a_saved_study_goes_on_where_it_was(tmp_path: Path) -> None:
    a_study = study(sampler=tpe.suggest(n_startup_jobs=5))
    play(a_study, 8)
    asked = a_study.ask(2)
    a_study.tell(asked[1], {"loss": 0.5, "status": "ok", "attachments": {"log": "text"}})
    a_study.save(tmp_path / "study.jsonl")
    loaded = Study.load(tmp_path / "study.jsonl", SPACE, tpe.suggest(n_startup_jobs=5))
    assert loaded.records == a_study.records
    assert (loaded.running, loaded.seed) == ({8}, 7)
    assert loaded.attachments == a_study.attachments == {"ATTACH::9::log": "text"}
    for each in (a_study, loaded):
        each.tell(8, 2.0)
    assert [t.values for t in loaded.ask(3)] == [t.values for t in a_study.ask(3)]


def test_a_journal_of_another_space_is_refused(tmp_path: Path) -> None:
    a_study = study()
    play(a_study, 2)
    a_study.save(tmp_path / "study.jsonl")
    with pytest.raises(InvalidArgument, match=r"another search space .*x: .* is now"):
        Study.load(tmp_path / "study.jsonl", {"x": hp.uniform("x", 0, 2)})
    with pytest.raises(InvalidArgument, match="there is no journal at"):
        Study.load(tmp_path / "nothing.jsonl", SPACE)


def test_a_journal_that_cannot_be_written_leaves_the_study_as_it_was() -> None:
    def journal(events: Any) -> None:
        raise JournalFailed("full")

    a_study = Study(SPACE, journal=journal)
    with pytest.raises(JournalFailed):
        a_study.tell({"x": 0.5, "k": 1}, 0.25)
    assert a_study.records == {}


def test_it_shows_itself() -> None:
    a_study = study()
    assert repr(a_study) == "<Study: 0 trials>"
    a_study.tell({"x": 0.5, "k": 1}, 0.25)
    assert repr(a_study) == "<Study: 1 trial: 1 ok; best loss 0.25 (trial 0) at k=none, x=0.5>"
    assert "0.25" in a_study._repr_html_()
    assert a_study.to_pandas()["k"].tolist() == ["none"]
    many = Study({str(i): hp.uniform(str(i), 0, 1) for i in range(30)}, seed=1)
    many.tell({str(i): 0.5 for i in range(30)}, 0.25)
    assert str(many).endswith("25=0.5, 26=0.5 and 10 more")
    with pytest.raises(TypeError):
        a_study.trials[1] = a_study.trials[0]  # type: ignore[index]


def test_one_line_names_the_recommended_trial_if_points_were_evaluated_again() -> None:
    a_study = Study({"x": hp.uniform("x", 0, 1)})
    for x, loss in ((0.1, 4.0), (0.2, 3.0), (0.3, 2.0), (0.4, 3.0), (0.5, 1.0)):
        a_study.tell({"x": x}, loss)
    told = "5 trials: 5 ok; best loss 1 (trial 4) at x=0.5"
    assert str(a_study) == told
    a_study.tell({"x": 0.5}, 6.0)
    assert str(a_study) == f"6 trials: 6 ok{told[14:]}; recommended with this noise: trial 2"
