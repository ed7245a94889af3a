"""Conformance checks of observers: `for check in OBSERVER_CHECKS: check(make)`.

`make()` returns a new observer. A check raises AssertionError if it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sparktune.events import Event
from sparktune.executors.platforms import Threads
from sparktune.history import View
from sparktune.loop import Observer
from sparktune.stopping import MaxEvals, Never, Stopper
from sparktune.study import Study
from sparktune.testing.situations import spaces
from sparktune.tuning import tune

Make: TypeAlias = Callable[[], Observer]


def check_a_run_with_failures_is_survived(make: Make) -> None:
    """The observer raises for no event of a run whose trials succeed, fail or raise."""

    def objective(config: Any) -> Any:
        if config["c"] == "x":
            raise ValueError("a line\\nand another, with \\x1b[31m and \\ud800")
        return {"status": "fail"} if config["c"] == "y" else float(config["r"])

    _run_with(make(), objective)


def check_a_run_without_trials_is_survived(make: Make) -> None:
    """The observer handles a run without trials, which only begins and ends."""
    _run_with(make(), lambda config: 0.0, max_trials=0)


def check_trials_that_run_at_the_end_are_survived(make: Make) -> None:
    """The observer handles cancelled trials, which run when a stopping rule ends the run."""
    _run_with(make(), lambda config: 0.0, stop=MaxEvals(3))


def check_a_second_run_is_survived(make: Make) -> None:
    """The same observer handles a second run of the study."""
    observer = make()
    study = _run_with(observer, lambda config: 0.0)
    _run_with(observer, lambda config: 0.0, max_trials=14, study=study)


def check_it_leaves_the_trials_alone(make: Make) -> None:
    """The trials of a run with the observer equal those of a run without it."""
    watched = _run_with(make(), lambda config: float(config["r"]))
    alone = _run_with(lambda event, history: None, lambda config: float(config["r"]))
    ours, theirs = (
        [(dict(trial.values), trial.loss) for trial in study.trials.values()]
        for study in (watched, alone)
    )
    assert ours == theirs, "the trials differ"


OBSERVER_CHECKS: tuple[Callable[[Make], None], ...] = (
    check_a_run_with_failures_is_survived,
    check_a_run_without_trials_is_survived,
    check_trials_that_run_at_the_end_are_survived,
    check_a_second_run_is_survived,
    check_it_leaves_the_trials_alone,
)


def _run_with(
    observer: Observer,
    objective: Callable[[Any], Any],
    max_trials: int = 12,
    stop: Stopper | None = None,
    study: Study | None = None,
) -> Study:
    """The study after a run with an observer, which must not raise."""
    raised: list[Exception] = []

    def watching(event: Event, history: View) -> None:
        try:
            observer(event, history)
        except Exception as error:
            raised.append(error)
            raise

    space = spaces()["finite"] if study is None else study.space
    study = Study(space, "random", seed=3) if study is None else study
    tune(
        lambda point: objective({"c": point[0], "r": point[1]}),
        space,
        on=Threads(2),
        max_trials=max_trials,
        stop=Never() if stop is None else stop,
        observers=[watching],
        deterministic=True,
        progress=False,
        study=study,
    )
    assert not raised, f"it raised {raised[0]!r}"
    return study
