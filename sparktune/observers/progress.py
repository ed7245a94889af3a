"""A progress bar, in terminals and notebooks."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeAlias

import numpy as np

from sparktune.history import CODES, View
from sparktune.trial import Event, Status, Stopped, Told

BarFactory: TypeAlias = Callable[..., AbstractContextManager[Any]]
"""`factory(initial=, total=)` gives a context manager of an object with `update(n)` and a settable
`postfix`.
"""


_MINUTE = 60.0  # seconds between lines in a file
_WIDE = 110  # columns that the rate and all counts need
_NARROW = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"


class Progress:
    """Advances a bar by one for each ended trial, and shows the best loss and how many are done,
    failed and running.

    Args:
        factory: makes the bar.
        history: the trials before this run.
        total: trials there will be at the end; None if unknown.
        running: says how many trials run now (of the pending ones, some may wait).
    """

    def __init__(
        self, factory: BarFactory, history: View, total: int | None, running: Callable[[], int]
    ) -> None:
        self._running = running
        initial = int(np.count_nonzero(~history.pending & (history.parent < 0)))
        self._stack = ExitStack()
        self._bar = self._stack.enter_context(factory(initial=initial, total=total))

    def __call__(self, event: Event, history: View) -> None:
        """Show an event."""
        if isinstance(event, Stopped):
            self._stack.close()
            return
        counts = brief(history) if getattr(self._bar, "narrow", False) else summary(history)
        self._bar.postfix = f"{counts}, running: {self._running()}"
        if isinstance(event, Told):
            self._bar.update(1 if event.trial.parent is None else 0)
        elif history.pending.all() and hasattr(self._bar, "refresh"):
            self._bar.refresh()  # so that a run with long trials shows that they run


def summary(history: View) -> str:
    """One line: best loss, and how many trials are done, failed and, if any, cancelled."""
    ok, cancelled = int(history.ok.sum()), int((history.status == CODES[Status.CANCELLED]).sum())
    failed = len(history) - ok - cancelled - int(history.pending.sum())
    best = f"{history.best:.6g}" if np.isfinite(history.best) else "none yet"
    text = f"best loss: {best}, done: {ok}, failed: {failed}"
    return f"{text}, cancelled: {cancelled}" if cancelled else text


def brief(history: View) -> str:
    """`summary` without what a bar shows anyway, and without counts of zero."""
    ended = len(history) - int(history.pending.sum())
    ok, cancelled = int(history.ok.sum()), int((history.status == CODES[Status.CANCELLED]).sum())
    best = f"best loss: {history.best:.6g}" if np.isfinite(history.best) else "no loss yet"
    failed = ended - ok - cancelled
    return f"{best}, failed: {failed}" if failed else best


def bar_on_stderr(initial: int, total: int | None) -> AbstractContextManager[Any]:
    """A bar on stderr: a widget in a notebook, a line a minute in a file."""
    if not in_notebook() and not sys.stderr.isatty():
        return Lines(initial, total)
    return tqdm_bar(initial, total) if in_notebook() else _bar_below_logs(initial, total)


@contextlib.contextmanager
def _bar_below_logs(initial: int, total: int | None) -> Iterator[Any]:
    """A bar in a terminal; log messages that go there appear above it. Nothing of their handlers
    changes but the stream.
    """
    import logging  # here, as few modules need it

    loggers = (logging.getLogger(), logging.getLogger("sparktune"))
    console = [
        handler
        for handler in dict.fromkeys(each for logger in loggers for each in logger.handlers)
        if isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stdout, sys.stderr)
    ]
    last = logging.lastResort  # what writes where there are no handlers
    streams = [handler.setStream(_AboveBars(handler.stream)) for handler in console]
    if last is not None:
        logging.lastResort = logging.StreamHandler(_AboveBars(sys.stderr))
        logging.lastResort.setLevel(last.level)
    try:
        with tqdm_bar(initial, total) as bar:
            yield bar
    finally:
        logging.lastResort = last
        for handler, stream in zip(console, streams, strict=True):
            handler.setStream(stream)


class _AboveBars:
    """A stream whose lines appear above the bars of tqdm."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write."""
        from tqdm import tqdm

        tqdm.write(text, file=self._stream, end="")

    def flush(self) -> None:
        """Show what was written."""
        self._stream.flush()


def in_notebook() -> bool:
    """Whether this process shows what it prints in a notebook."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


class Lines:
    """A bar for a file: a line a minute, and one at the end.

    Attributes:
        postfix: how the run stands.
        narrow: that the postfix may be long.
    """

    narrow = False

    def __init__(
        self, initial: int, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.postfix = ""
        self._n, self._total = initial, total
        self._clock = clock
        self._begun = self._last = clock()
        self._said: int | None = None

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *problem: object) -> None:
        self._say()

    def update(self, n: int) -> None:
        """Advance by `n`."""
        self._n += n
        self.refresh()

    def refresh(self) -> None:
        """Write a line, if the last one is a minute old."""
        if self._clock() - self._last >= _MINUTE:
            self._last = self._clock()
            self._say()

    def _say(self) -> None:
        count = f"{self._n}"
        if self._total is not None:
            share = self._n / self._total if self._total else 1.0
            count = f"{share:4.0%}| {self._n}/{self._total}"
        seconds = int(self._clock() - self._begun)
        took = f"{seconds // 60}:{seconds % 60:02d}"
        with contextlib.suppress(OSError, ValueError):  # stderr is closed, or nobody reads it
            print(f"{count} trials [{took}] {self.postfix}", file=sys.stderr, flush=True)


def tqdm_bar(initial: int, total: int | None) -> AbstractContextManager[Any]:
    """A tqdm bar on stderr, or a widget in a notebook, which fits into 80 columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets: tqdm falls back to text
        from tqdm.auto import tqdm

    import shutil  # here, as few modules need it

    narrow = shutil.get_terminal_size().columns < _WIDE
    bar: Any = tqdm(
        initial=initial,
        total=total,
        unit="trial",
        dynamic_ncols=True,
        smoothing=0.1,
        bar_format=_NARROW if narrow and total is not None else None,
    )
    bar.narrow = narrow
    made: AbstractContextManager[Any] = bar
    return made
