"""Every observer passes the checks, and the checks fail what is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparktune import MlflowObserver
from sparktune.events import Event, Stopped
from sparktune.history import View
from sparktune.loop import Observer
from sparktune.observers.live import Live
from sparktune.observers.log import Log
from sparktune.observers.progress import Progress
from sparktune.observers.saving import Saving
from sparktune.study import Study
from sparktune.testing import OBSERVER_CHECKS, observers, spaces
from sparktune.trials import Trials


@contextlib.contextmanager
def bar(initial: int, total: int | None) -> Iterator[Any]:
    yield SimpleNamespace(update=lambda n: None, postfix="")


OBSERVERS: dict[str, Callable[[Path], Observer]] = {
    "log": lambda folder: Log(),
    "progress": lambda folder: Progress(
        bar, Study(spaces()["finite"]).history, 12, running=lambda: 2
    ),
    "saving": lambda folder: Saving(Trials(), str(folder / "trials.pkl")),
    "live": lambda folder: Live(Study(spaces()["finite"], seed=3), lambda html: lambda html: None),
    "mlflow": lambda folder: MlflowObserver(  # there is no server
        tracking_uri="http://127.0.0.1:1", experiment="e", patience=0
    ).open(Study(spaces()["finite"], seed=3), 2),
    "trials": lambda folder: Trials().observe,
}


@pytest.mark.parametrize("make", OBSERVERS.values(), ids=OBSERVERS.keys())
@pytest.mark.parametrize("check", OBSERVER_CHECKS, ids=lambda check: check.__name__)
def test_the_observer_passes(
    check: Callable[[Callable[[], Observer]], None],
    make: Callable[[Path], Observer],
    tmp_path: Path,
) -> None:
    check(lambda: make(tmp_path))


class Once:
    """Breaks down after its first run."""

    ended = False

    def __call__(self, event: Event, history: View) -> None:
        if self.ended:
            raise RuntimeError("closed")
        self.ended = isinstance(event, Stopped)


def trials_only(event: Event, history: View) -> None:
    event.trial  # type: ignore[union-attr]  # noqa: B018


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (Once, observers.check_a_second_run_is_survived),
        (lambda: trials_only, observers.check_a_run_without_trials_is_survived),
    ],
)
def test_what_is_wrong_fails(
    make: Callable[[], Observer], check: Callable[[Callable[[], Observer]], None]
) -> None:
    with pytest.raises(AssertionError):
        check(make)
