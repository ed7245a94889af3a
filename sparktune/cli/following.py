"""Following a journal while its run lasts: a screen in a terminal, lines in a file, or a page."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

from sparktune.events import Begun, Stopped, apply
from sparktune.journal.journal import Following
from sparktune.results.finished import Snapshot
from sparktune.results.screen import line, screen
from sparktune.trial import Trial

_EVERY, _LINE, _PAGE = 1.0, 60.0, 10.0  # seconds between screens, lines and pages


def on_screen(journal: str, pause: Callable[[float], None] = time.sleep) -> None:
    """Show the state of the study of a journal until its run ends: redraw it in a terminal, print
    one line per minute elsewhere.

    Raises:
        InvalidArgument: the journal cannot be read.
        KeyboardInterrupt: Ctrl-C.
    """
    terminal = sys.stdout.isatty()
    drawn = 0

    def show(study: Snapshot, end: int | None) -> None:
        nonlocal drawn
        if not terminal:
            print(line(study, end, time.time()), flush=True)
            return
        rows = screen(study, end, time.time(), shutil.get_terminal_size().columns)
        back = f"\x1b[{drawn}F\x1b[J" if drawn else ""
        print(back + "\n".join(rows), flush=True)
        drawn = len(rows)

    _follow([journal], lambda shown: show(*shown[0]), _EVERY if terminal else _LINE, pause)


def on_page(
    journals: list[str],
    write: Callable[[list[Snapshot], bool], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Call `write(studies, running)` every 10 seconds until all runs have ended."""

    def show(shown: list[tuple[Snapshot, int | None]]) -> None:
        studies = [study for study, _ in shown]
        write(studies, any(study.stop_reason is None for study in studies))

    _follow(journals, show, _PAGE, pause)


def _follow(
    journals: list[str],
    show: Callable[[list[tuple[Snapshot, int | None]]], None],
    every: float,
    pause: Callable[[float], None],
) -> None:
    """Show the current state every `every` seconds until all runs have ended. The end of the runs
    is detected within a second.
    """
    followed = [_Study(journal) for journal in journals]
    due = 0.0
    while True:
        for each in followed:
            each.advance()
        over = all(each.over for each in followed)
        if over or time.monotonic() >= due:
            show([(each.snapshot(), each.end) for each in followed])
            due = time.monotonic() + every
        if over:
            return
        pause(min(every, _EVERY))


class _Study:
    """The study of a growing journal."""

    def __init__(self, journal: str) -> None:
        self._following = Following(journal)
        self._records: dict[int, Trial] = {}
        self._begun: Begun | None = None
        self._reason: str | None = None

    def advance(self) -> None:
        """Read and apply the new events."""
        new = self._following.advance()
        for event in self._following.events[-new:] if new else ():
            apply(self._records, event)
            if isinstance(event, Begun):
                self._begun, self._reason = event, None
            elif isinstance(event, Stopped):
                self._reason = event.reason

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self._reason is not None

    @property
    def end(self) -> int | None:
        """The number of trials at the end of the run; None: unknown."""
        return self._begun.limit.end if self._begun and self._begun.limit else None

    def snapshot(self) -> Snapshot:
        """A snapshot of the study."""
        header = self._begun.header if self._begun else None
        labels = tuple(header.columns) if header else ()
        return Snapshot(dict(self._records), labels, header, self._reason, None)
