"""Trials in parts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from sparktune import Parts, Serial, Threads, hp, tune
from sparktune.executors import parts
from sparktune.executors.parts import Part, in_parts, mean
from sparktune.executors.task import Task
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Outcome, Status, Trial

SPACE = {"x": hp.uniform("x", -5, 5)}


class Watched(SimulatedExecutor):
    """Notes what it is given, and refuses more than it has slots."""

    def __init__(self, *args: Any) -> None:
        self.given: list[tuple[int, int]] = []
        super().__init__(*args)

    def submit(self, trial: Trial) -> None:
        assert isinstance(trial, Part)
        self.given.append((trial.whole.id, trial.number))
        super().submit(trial)


def simulated(
    objective: Any, slots: int, n: int, seconds: Any = lambda trial: 1.0
) -> tuple[Clock, Watched, parts.Parts]:
    clock = Clock()
    task = in_parts(Task(objective, lambda trial: trial.values["x"]))
    inner = Watched(task, slots, seconds, clock)
    return clock, inner, parts.Parts(inner, n, mean, clock)


def trial(id: int) -> Trial:
    return Trial(id, {"x": float(id)})


def ended(executor: parts.Parts) -> list[Outcome]:
    """The next trials that end, though slots come before."""
    return next(batch for _ in range(20) if (batch := executor.collect(None)))


def test_a_trial_ends_once_when_all_its_parts_have() -> None:
    _, inner, executor = simulated(lambda x, part: x + part, slots=2, n=3)
    executor.submit(trial(4))
    outcomes = ended(executor)
    assert [(each.trial_id, each.status, each.loss) for each in outcomes] == [(4, Status.OK, 5.0)]
    assert outcomes[0].result == {"status": "ok", "loss": 5.0, "losses": [4.0, 5.0, 6.0]}
    assert (outcomes[0].started, outcomes[0].finished) == (0.0, 2.0)
    assert inner.given == [(4, 0), (4, 1), (4, 2)]
    assert (executor.running, executor.collect(None)) == (0, [])


@pytest.mark.parametrize(("slots", "n", "takes"), [(8, 10, 1), (8, 3, 3), (1, 5, 1), (9, 3, 3)])
def test_it_takes_as_many_trials_as_fill_the_slots(slots: int, n: int, takes: int) -> None:
    _, inner, executor = simulated(lambda x, part: x, slots, n)
    for id in range(takes):
        assert executor.slots > id
        executor.submit(trial(id))
    assert executor.slots == takes
    assert inner.running == min(slots, takes * n)
    assert executor.running == min(takes, -(-slots // n))


def test_slots_stand_empty_only_at_the_end() -> None:
    clock = Clock()
    executor = None

    class OnParts:
        parallelism = 8

        def open(self, task: Task) -> Any:
            nonlocal executor
            executor = SimulatedExecutor(in_parts(task), 8, lambda trial: 1.0, clock)
            return parts.Parts(executor, 10, mean, clock)

    tune(lambda config, part: part, SPACE, on=OnParts(), max_trials=8, progress=False)
    assert clock.now == 10.0  # 80 parts of a second on 8 slots


def test_the_others_are_cancelled_when_one_part_fails() -> None:
    def objective(x: float, part: int) -> float:
        if x == 0 and part == 1:
            raise LookupError("no data")
        return x

    clock, inner, executor = simulated(objective, 2, 5, lambda trial: 1.0 + trial.number)
    executor.submit(trial(0))
    [outcome] = ended(executor)
    assert (outcome.trial_id, outcome.status) == (0, Status.ERROR)
    assert outcome.failure is not None
    assert (outcome.failure.type, outcome.failure.message) == ("LookupError", "no data")
    assert "in objective" in outcome.failure.traceback.splitlines()[1]
    assert isinstance(outcome.exception, LookupError)
    assert clock.now == 2.0
    assert inner.given == [(0, 0), (0, 1), (0, 2)]
    assert (inner.running, executor.slots) == (0, 1)
    executor.submit(trial(1))
    assert [each.loss for each in ended(executor)] == [1.0]


def test_a_part_that_crashes_is_the_trials_crash() -> None:
    clock = Clock()
    task = in_parts(Task(lambda x, part: x, lambda trial: 1.0))
    inner = SimulatedExecutor(task, 1, lambda trial: 1.0, clock, lambda trial: trial.id == 1)
    executor = parts.Parts(inner, 3, mean, clock)
    executor.submit(trial(0))
    [outcome] = ended(executor)
    assert (outcome.status, clock.now) == (Status.CRASHED, 2.0)


def test_a_part_that_says_it_failed_fails_the_trial_and_the_others_go_on() -> None:
    def objective(x: float, part: int) -> Any:
        return {"status": "fail"} if part == 0 else float("nan") if part == 1 else x

    _, inner, executor = simulated(objective, 1, 3)
    executor.submit(trial(7))
    [outcome] = ended(executor)
    assert outcome.status is Status.FAIL
    assert repr(outcome.result) == "{'status': 'fail', 'losses': [None, nan, 7.0]}"
    assert len(inner.given) == 3


def test_cancel_ends_the_parts_of_that_trial_alone() -> None:
    clock, inner, executor = simulated(lambda x, part: x, 4, 3)
    for id in range(2):
        executor.submit(trial(id))
    executor.cancel([0, 99])
    first = ended(executor)
    assert [(each.trial_id, each.status) for each in first] == [(0, Status.CANCELLED)]
    assert clock.now == 0.0
    assert [(each.trial_id, each.loss) for each in ended(executor)] == [(1, 1.0)]
    assert inner.given == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_a_trial_whose_parts_all_wait_is_cancelled_at_once() -> None:
    _, inner, executor = simulated(lambda x, part: x, 1, 2)
    executor.submit(trial(0))
    executor.submit(trial(1))
    executor.cancel([1])
    assert [each.trial_id for each in executor.collect(0)] == [1]
    assert [each.trial_id for each in ended(executor)] == [0]
    assert inner.given == [(0, 0), (0, 1)]


def test_collect_waits_no_longer_than_it_may() -> None:
    clock, _, executor = simulated(lambda x, part: x, 1, 10)
    executor.submit(trial(0))
    assert executor.collect(2.5) == []
    assert clock.now == 2.5
    assert [each.trial_id for each in ended(executor)] == [0]
    assert clock.now == 10.0


def test_collect_returns_early_when_another_trial_fits() -> None:
    clock, _, executor = simulated(lambda x, part: x, 2, 3)
    executor.submit(trial(0))
    assert executor.slots == 1
    assert executor.collect(None) == []
    assert (clock.now, executor.slots) == (1.0, 2)


def test_what_was_given_out_last_is_given_again_after_close() -> None:
    _, _, executor = simulated(lambda x, part: x, 4, 2)
    executor.submit(trial(0))
    executor.submit(trial(1))
    executor.cancel([1])
    executor.collect(0)
    executor.close()
    found = {each.trial_id: each.status for each in executor.collect(0)}
    assert found == {0: Status.CANCELLED, 1: Status.CANCELLED}


def test_a_merge_that_raises_is_the_trials_error() -> None:
    def merge(outcomes: Sequence[Outcome]) -> float:
        raise ZeroDivisionError("no weights")

    study = tune(lambda c, part: 1.0, SPACE, on=Parts(Serial(), 2, merge), max_trials=2)
    assert {each.status for each in study.trials.values()} == {Status.ERROR}
    assert "in merge" in str(study.trials[0].failure)


def test_merge_gets_the_outcomes_in_the_order_of_the_parts() -> None:
    seen = []

    def merge(outcomes: Sequence[Outcome]) -> float:
        seen.append([each.loss for each in outcomes])
        return max(each.loss or 0.0 for each in outcomes)

    def objective(config: Any, part: int) -> float:
        time.sleep(0.02 * (4 - part))
        return float(part)

    study = tune(objective, SPACE, on=Parts(Threads(4), 4, merge), max_trials=3, progress=False)
    assert seen == [[0.0, 1.0, 2.0, 3.0]] * 3
    assert study.best is not None
    assert study.best.loss == 3.0


def test_parts_of_few_trials_run_at_once() -> None:
    together = threading.Barrier(6)

    def objective(config: Any, part: int) -> float:
        together.wait(60)
        return config["x"] ** 2

    study = tune(objective, SPACE, on=Parts(Threads(6), 3), max_trials=4, progress=False)
    assert [each.status for each in study.trials.values()] == [Status.OK] * 4


def test_an_objective_of_annotated_arguments_gets_its_part() -> None:
    def objective(x: hp.uniform("x", 0, 1), *, part: Any = None) -> float:  # type: ignore[valid-type]
        return float(x + part)

    del objective.__annotations__["part"]
    study = tune(objective, "annotated", on=Parts(Serial(), 2), max_trials=1, progress=False)
    assert study.best is not None
    x = study.best.values["x"]
    assert study.best.loss == (x + (x + 1.0)) / 2


def test_deterministic_trials_do_not_depend_on_the_slots_speed() -> None:
    def values(on: Parts) -> list[Any]:
        study = tune(
            lambda config, part: config["x"] ** 2 + part,
            SPACE,
            on=on,
            max_trials=30,
            seed=3,
            deterministic=True,
            progress=False,
        )
        return [each.values for each in study.trials.values()]

    assert values(Parts(Threads(4), 3)) == values(Parts(Threads(4), 3))


def test_an_interrupt_loses_no_trial() -> None:
    calls = Counter[int]()

    def objective(config: Any, part: int) -> float:
        calls[part] += 1
        if calls[1] == 3:
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt) as caught:
        tune(objective, SPACE, on=Parts(Serial(), 2), max_trials=9, progress=False)
    study = caught.value.study  # type: ignore[attr-defined]
    ends = [each.status for each in study.trials.values()]
    assert ends == [Status.OK, Status.OK, Status.CANCELLED]


def test_a_part_is_named_after_its_trial() -> None:
    task = in_parts(Task(float, lambda trial: None, "loss"))
    part = Part(9, {"x": 1.5}, whole=Trial(4, {"x": 1.5}), number=2)
    assert task.describe(part) == "part 2 of loss trial 4: x=1.5"
