"""A summary that is kept up to date in a notebook."""

from __future__ import annotations

from collections.abc import Callable

from sparktune import Study, hp, tune
from sparktune.events import Asked
from sparktune.observers.live import Live, html
from sparktune.trial import Failure


def test_it_is_shown_once_and_then_replaced_not_too_often() -> None:
    now = 0.0
    first: list[str] = []
    later: list[str] = []

    def display(shown: str) -> Callable[[str], None]:
        first.append(shown)
        return later.append

    def objective(x: float) -> float:
        nonlocal now
        now += 0.5
        return x * x

    space = hp.uniform("x", -3, 3)
    study = Study(space, "random", seed=1)
    live = Live(study, display, clock=lambda: now)
    tune(objective, space, max_trials=20, study=study, observers=[live], progress=False)

    assert len(first) == 1
    assert 4 <= len(later) <= 7  # every two of ten seconds, and at the end
    assert study.best is not None
    assert f"{study.best.loss:.6g}" in later[-1]
    assert "<svg" in later[-1]
    assert "all trials done" in later[-1]


def test_it_stays_small_and_shows_text_as_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    study = Study({hostile: hp.uniform(hostile, 0, 1)}, "random", seed=1)
    for trial in study.ask(3000):
        study.tell(trial, trial.values[hostile])
    shown = html(study)
    assert len(shown) < 40_000
    assert "<img" not in shown


def test_a_study_without_losses_has_no_picture() -> None:
    study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=1)
    (trial,) = study.ask(1)
    study.tell(trial, Failure("ValueError", "no"))
    assert "<svg" not in html(study)
    live = Live(study, lambda shown: lambda other: None)
    live(Asked(trial), study.history)
