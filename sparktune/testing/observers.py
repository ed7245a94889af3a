"""What every observer must do: `for check in OBSERVER_CHECKS: check(make)`.

`make()` gives a new observer. A check raises AssertionError with what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sparktune.executors.platforms import Threads
from sparktune.history import View
from sparktune.loop import Observer
from sparktune.stopping import MaxEvals, Never, Stopper
from sparktune.study import Study
from sparktune.testing.situations import spaces
from sparktune.trial import Event
from sparktune.tuning import tune

Make: TypeAlias = Callable[[], Observer]


def check_a_run_with_failures_is_survived(make: Make) -> None:
    """No event makes it raise: of trials that end well, fail or raise, and of the ends."""

    def objective(config: Any) -> Any:
        if config["c"] == "x":
            raise ValueError("a line\\nand another, with \\x1b[31m and \\ud800")
        return {"status": "fail"} if config["c"] == "y" else float(config["r"])

    _watched(make(), objective)


def check_a_run_without_trials_is_survived(make: Make) -> None:
    """Of an empty run it sees a begin and an end."""
    _watched(make(), lambda config: 0.0, max_trials=0)


def check_trials_that_run_at_the_end_are_survived(make: Make) -> None:
    """A rule ends the run while trials run: they are cancelled."""
    _watched(make(), lambda config: 0.0, stop=MaxEvals(3))


def check_a_second_run_is_survived(make: Make) -> None:
    """The same observer sees a study continue."""
    observer = make()
    study = _watched(observer, lambda config: 0.0)
    _watched(observer, lambda config: 0.0, max_trials=14, study=study)


def check_it_leaves_the_trials_alone(make: Make) -> None:
    """With and without it, the trials are the same."""
    watched = _watched(make(), lambda config: float(config["r"]))
    alone = _watched(lambda event, history: None, lambda config: float(config["r"]))
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


def _watched(
    observer: Observer,
    objective: Callable[[Any], Any],
    max_trials: int = 12,
    stop: Stopper | None = None,
    study: Study | None = None,
) -> Study:
    """A run under an observer, which must not raise."""
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
