"""The progress bar."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sparktune import Trials, fmin, hp
from sparktune.history import History
from sparktune.observers import progress
from sparktune.trial import Status, Trial
from tests.observers.terminal import shown_in_a_terminal

X = hp.uniform("x", 0, 1)


def test_a_terminal_shows_best_loss_and_counts(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "150")

    def objective(x: float) -> float:
        if x < 0.5:
            raise ValueError("small")
        return x

    trials = Trials()
    fmin(objective, X, max_evals=20, trials=trials, catch_eval_exceptions=True, seed=0)
    shown = capfd.readouterr().err.replace("\r", "\n").splitlines()[-1]
    best = f"{trials.best_trial['result']['loss']:.6g}"
    assert f"best loss: {best}" in shown
    assert f"done: {len(trials)}, failed: {20 - len(trials)}, running: 0" in shown
    assert "20/20" in shown


@pytest.mark.parametrize("switch", [{"verbose": False}, {"show_progressbar": False}])
def test_the_bar_can_be_switched_off(
    switch: dict[str, bool], capfd: pytest.CaptureFixture[str]
) -> None:
    fmin(abs, X, max_evals=3, **switch)  # type: ignore[arg-type]
    assert capfd.readouterr().err == ""


def test_a_users_bar_is_driven(capfd: pytest.CaptureFixture[str]) -> None:
    updates: list[int] = []
    given: list[Any] = []
    bar = SimpleNamespace(update=updates.append, postfix=None)

    @contextmanager
    def factory(initial: int, total: int | None) -> Iterator[Any]:
        given.append((initial, total))
        yield bar
        given.append("closed")

    trials = Trials()
    fmin(abs, X, max_evals=2, trials=trials, show_progressbar=factory)
    fmin(abs, X, max_evals=5, trials=trials, show_progressbar=factory)
    assert given == [(0, 2), "closed", (2, 5), "closed"]
    assert updates == [1] * 5
    assert bar.postfix.startswith("best loss: ")
    assert capfd.readouterr().err == ""


def test_the_bar_is_closed_when_the_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def objective(x: float) -> float:
        raise ValueError("no")

    closed: list[bool] = []

    @contextmanager
    def factory(initial: int, total: int | None) -> Iterator[Any]:
        yield SimpleNamespace(update=lambda n: None, postfix=None)
        closed.append(True)

    with pytest.raises(ValueError, match="no"):
        fmin(objective, X, max_evals=2, show_progressbar=factory)
    assert closed == [True]


def test_standard_streams_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    seen: list[bool] = []
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    before = (sys.stdout, sys.stderr)
    fmin(
        lambda x: seen.append((sys.stdout, sys.stderr) == before) or x,
        X,
        max_evals=2,
    )
    assert seen == [True, True]


def test_the_summary_counts_each_kind_of_end() -> None:
    history = History(1)
    assert progress.summary(history.view()) == "best loss: none yet, done: 0, failed: 0"
    ends = [Status.OK, Status.FAIL, Status.ERROR, Status.CRASHED, Status.TIMEOUT]
    for id, status in enumerate([*ends, Status.CANCELLED, Status.RUNNING]):
        history.append(Trial(id, {"x": 0.0}, status, loss=0.5), np.zeros(1))
    shown = progress.summary(history.view())
    assert shown == "best loss: 0.5, done: 1, failed: 4, cancelled: 1"


def screen(shown: str) -> list[str]:
    """The lines that people see in the end: a return goes back to the first column."""
    lines = []
    for line in shown.replace("\r\n", "\n").split("\n"):
        seen = ""
        for part in line.split("\r"):
            seen = part + seen[len(part) :]
        lines.append(seen.replace("\x1b[A", "").rstrip())
    return lines


def test_a_terminal_of_80_columns_shows_the_whole_text() -> None:
    shown = shown_in_a_terminal("""if True:
        from sparktune import hp, tune
        fail = {"status": "fail"}
        tune(lambda x: x / 1e6 if x > 1 else fail, hp.uniform("x", 0, 9), max_trials=100, seed=1)
    """)
    bars = [bar for bar in shown.replace("\n", "\r").split("\r") if "100 [" in bar]
    assert max(map(len, bars)) <= 80, max(bars, key=len)
    assert re.search(r"100/100 .* best loss: [\d.e-]+, failed: \d+, running: 0\]$", bars[-1])


@pytest.mark.parametrize("configured", [True, False])
def test_log_messages_appear_above_the_bar(configured: bool) -> None:
    shown = shown_in_a_terminal(f"""if True:
        import logging, sys
        from sparktune import hp, tune
        log = logging.getLogger("mine")
        if {configured}:
            logging.basicConfig(format="%(levelname)s %(message)s")
        before = [*logging.getLogger().handlers], logging.lastResort
        streams = [each.stream for each in before[0]]
        def loss(x):
            log.warning("message of %s", "x" * 9)
            log.info("nobody asked for it")
            return x
        tune(loss, hp.uniform("x", 0, 9), max_trials=30, seed=1)
        assert before == ([*logging.getLogger().handlers], logging.lastResort)
        assert streams == [each.stream for each in before[0]]
    """)
    level = "WARNING " if configured else ""
    seen = [line for line in screen(shown) if line]
    assert seen[:30] == [f"{level}message of xxxxxxxxx"] * 30
    assert "30/30" in seen[30]
    assert [line[:10] for line in seen[31:]] == ["30 trials:"]  # what a run says at its end


def test_a_file_gets_a_line_a_minute_and_one_at_the_end(
    capfd: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    with progress.Lines(0, 10, clock=lambda: now) as bar:
        for i in range(10):
            bar.postfix = f"best loss: {9 - i}"
            now += 20
            bar.update(1)
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        " 30%| 3/10 trials [1:00] best loss: 7",
        " 60%| 6/10 trials [2:00] best loss: 4",
        " 90%| 9/10 trials [3:00] best loss: 1",
        "100%| 10/10 trials [3:20] best loss: 0",
    ]
