"""Journals that are followed while their runs last."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sparktune import Study, Threads, hp, tune
from sparktune.cli import following, main
from sparktune.events import Stopped
from sparktune.journal.journal import Following
from sparktune.results.finished import Snapshot
from sparktune.results.screen import line, screen, sparkline
from sparktune.trial import Failure
from tests.observers.terminal import shown_in_a_terminal

SPACE = {"x": hp.uniform("x", -1, 1)}


def test_what_is_new_is_read_and_a_torn_line_waits(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    tune(lambda c: c["x"], SPACE, max_trials=5, seed=1, journal=whole, progress=False)
    content = whole.read_bytes()
    path = tmp_path / "grows.jsonl"
    followed = Following(path)
    assert followed.advance() == 0  # it is not there yet
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        followed.advance()
    path.write_bytes(content)
    followed.advance()
    assert followed.advance() == 0
    every = Following(whole)
    every.advance()
    assert followed.events == every.events
    assert isinstance(followed.events[-1], Stopped)


def test_a_page_is_renewed_until_the_run_ends(tmp_path: Path) -> None:
    journal, page = tmp_path / "study.jsonl", tmp_path / "page.html"
    go = threading.Semaphore(0)
    seen: list[tuple[int, bool]] = []

    def objective(config: dict[str, float]) -> float:
        go.acquire()
        return config["x"]

    run = threading.Thread(
        target=tune,
        args=(objective, SPACE),
        kwargs={"max_trials": 3, "journal": journal, "progress": False, "seed": 1},
    )

    def write(studies: list[Snapshot], running: bool) -> None:
        ended = sum(not trial.status.pending for trial in studies[0].records.values())
        seen.append((ended, running))

    def pause(seconds: float) -> None:
        go.release()
        threading.Event().wait(0.05)

    run.start()
    following.on_page([str(journal)], write, pause)
    run.join()
    assert seen[-1] == (3, False)
    assert all(running for _, running in seen[:-1])

    assert main(["report", str(journal), "-o", str(page), "--follow"]) == 0
    assert 'http-equiv="refresh"' not in page.read_text()


def test_the_command_ends_with_the_run_and_shows_the_summary(tmp_path: Path) -> None:
    """In a file, not a terminal: a line first."""
    journal = tmp_path / "study.jsonl"
    command = [sys.executable, "-m", "sparktune", "show", str(journal), "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shown:
        assert shown.stdout
        first = shown.stdout.readline()
        assert "0 trials" in first
        tune(lambda c: c["x"], SPACE, max_trials=4, seed=1, journal=journal, progress=False)
        rest = shown.stdout.read()
        assert shown.wait() == 0
    assert "4 trials: 4 ok" in rest
    assert "Best trials" in rest


def test_a_terminal_of_80_columns_is_redrawn_until_the_run_ends(tmp_path: Path) -> None:
    shown = shown_in_a_terminal(f"""if True:
        import threading, time
        from sparktune import hp, tune
        from sparktune.cli import following
        label = "a rather long name of a parameter " * 3
        go = threading.Event()
        def loss(config):
            config[label] > 0.5 and go.wait(300)
            if config[label] > 0.9:
                raise ValueError("too large " * 20)
            return config[label]
        space, journal = {{label: hp.uniform(label, 0, 1)}}, "{tmp_path}/study.jsonl"
        options = {{"max_trials": 30, "seed": 1, "progress": False, "journal": journal}}
        run = threading.Thread(target=tune, args=(loss, space), kwargs=options)
        run.start()
        draw = following.screen
        def drawn(*args):
            rows = draw(*args)
            if any("running" in row for row in rows):
                go.set()
            return rows
        following.screen = drawn
        following.on_screen(journal, lambda seconds: time.sleep(0.01))
        run.join()
    """)
    first, *later = re.split("\x1b\\[\\d+F\x1b\\[J", shown)  # up to the first row, and erase it
    assert later
    assert "running" in first + later[0]
    for each in (first, *later):
        assert all(len(row) <= 80 for row in each.splitlines())
        assert len(each.splitlines()) <= 20
    assert "ended    all trials done" in later[-1]
    assert "so far   █" in later[-1]


def running() -> Study:
    """A study in the middle of a run: a failure, a loss each 10 seconds, two that run."""
    now = 1000.0

    def clock() -> float:
        return now

    study = Study(SPACE, "random", seed=1, clock=clock)
    for i in range(8):
        (trial,) = study.ask()
        now += 10
        study.tell(trial, Failure("ValueError", "no \x1b[2J") if i == 3 else 8.0 - i)
    study.ask(2)
    return study


def test_a_screen_says_how_a_run_stands() -> None:
    rows = screen(running(), 20, now=1090.0, width=60)
    text = "\n".join(rows)
    assert all(len(row) <= 60 for row in rows)
    assert "10: 2 running, 7 ok, 1 error (of 20), 2.3 min left" in text
    assert "best     1 (trial 7, 10 s ago)" in text
    assert "so far   █▇▆▄▃▂▁" in text
    assert "running  8 (10 s), 9 (10 s)" in text
    assert "failed   1 error: ValueError: no \\x1b[2J" in text
    assert "\x1b" not in text


def test_a_line_says_it_in_short() -> None:
    said = line(running(), 20, now=1090.0)
    assert "10 trials: 2 running, 7 ok, 1 error; best loss 1 (trial 7)" in said
    assert said.endswith("; 2.3 min left")


@pytest.mark.parametrize(
    ("losses", "shown"),
    [([], ""), ([1.0], "▁"), ([2.0, 2.0], "▁▁"), ([3.0, 9.0, 1.0], "██▁"), ([1e308, -1e308], "▁▁")],
)
def test_a_sparkline_falls_as_the_best_loss_does(losses: list[float], shown: str) -> None:
    assert sparkline(losses) == shown


def test_a_long_run_has_as_many_blocks_as_there_is_room() -> None:
    assert len(sparkline([1 / (i + 1) for i in range(1000)], 40)) == 40


def test_a_run_on_threads_is_followed_from_the_begin(tmp_path: Path) -> None:
    journal = tmp_path / "study.jsonl"
    observe: Callable[..., None] = lambda event, history: None  # noqa: E731
    tune(
        lambda c: c["x"],
        SPACE,
        on=Threads(2),
        max_trials=4,
        journal=journal,
        observers=[observe],
        progress=False,
    )
    shown: list[Snapshot] = []
    following.on_page([str(journal)], lambda studies, on: shown.extend(studies))
    assert len(shown[0].records) == 4
