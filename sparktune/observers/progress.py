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

from sparktune.events import Event, Stopped, Told
from sparktune.history import CODES, View
from sparktune.trial import Status

BarFactory: TypeAlias = Callable[..., AbstractContextManager[Any]]
"""`factory(initial=, total=)` returns a context manager. Its object has a method `update(n)` and an
attribute `postfix` that can be set.
"""


_MINUTE = 60.0  # seconds between lines in a file
_WIDE = 110  # terminal columns for the rate and all counts
_NARROW = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"


class Progress:
    """Advances a bar by one for each ended trial, and shows the best loss and the numbers of done,
    failed and running trials.

    Args:
        factory: creates the bar.
        history: the trials before this run.
        total: number of trials at the end of the run; None: unknown.
        running: returns the number of running trials; other pending trials wait.
    """

    def __init__(
        self, factory: BarFactory, history: View, total: int | None, running: Callable[[], int]
    ) -> None:
        self._running = running
        initial = int(np.count_nonzero(~history.pending & (history.parent < 0)))
        self._stack = ExitStack()
        self._bar = self._stack.enter_context(factory(initial=initial, total=total))

    def __call__(self, event: Event, history: View) -> None:
        """Update the bar after an event; close it after `Stopped`."""
        if isinstance(event, Stopped):
            self._stack.close()
            return
        counts = brief(history) if getattr(self._bar, "narrow", False) else summary(history)
        self._bar.postfix = f"{counts}, running: {self._running()}"
        if isinstance(event, Told):
            self._bar.update(1 if event.trial.parent is None else 0)
        elif history.pending.all() and hasattr(self._bar, "refresh"):
            self._bar.refresh()  # shows running trials before the first one has ended


def summary(history: View) -> str:
    """The best loss, and the numbers of done, failed and, if any, cancelled trials, in one line."""
    ok, cancelled = int(history.ok.sum()), int((history.status == CODES[Status.CANCELLED]).sum())
    failed = len(history) - ok - cancelled - int(history.pending.sum())
    best = f"{history.best:.6g}" if np.isfinite(history.best) else "none yet"
    text = f"best loss: {best}, done: {ok}, failed: {failed}"
    return f"{text}, cancelled: {cancelled}" if cancelled else text


def brief(history: View) -> str:
    """`summary` for narrow terminals: the best loss, and the number of failed trials, if any."""
    ended = len(history) - int(history.pending.sum())
    ok, cancelled = int(history.ok.sum()), int((history.status == CODES[Status.CANCELLED]).sum())
    best = f"best loss: {history.best:.6g}" if np.isfinite(history.best) else "no loss yet"
    failed = ended - ok - cancelled
    return f"{best}, failed: {failed}" if failed else best


def bar_on_stderr(initial: int, total: int | None) -> AbstractContextManager[Any]:
    """A bar on stderr: a tqdm bar in a terminal or a notebook, one line per minute in a file."""
    if in_notebook():
        return tqdm_bar(initial, total)
    return _bar_below_logs(initial, total) if in_terminal() else Lines(initial, total)


def in_terminal() -> bool:
    """Whether stderr is a terminal."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is no stderr, or it is closed
        return False


def write_on_stderr(text: str) -> None:
    """Write a line, if stderr exists, is open, and somebody reads it."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _bar_below_logs(initial: int, total: int | None) -> Iterator[Any]:
    """A bar in a terminal. Log messages that go to the terminal appear above it: meanwhile their
    handlers have another stream.
    """
    import logging  # imported here, because few modules need it

    loggers = (logging.getLogger(), logging.getLogger("sparktune"))
    console = [
        handler
        for handler in dict.fromkeys(each for logger in loggers for each in logger.handlers)
        if isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stdout, sys.stderr)
    ]
    last = logging.lastResort  # the handler of loggers without handlers
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
    """A stream whose output appears above the bars of tqdm."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write a text above the bars."""
        from tqdm import tqdm

        tqdm.write(text, file=self._stream, end="")

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


def in_notebook() -> bool:
    """Whether this process runs in IPython, such as in a notebook."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


class Lines:
    """A bar for a file: one line per minute, and one at the end.

    Attributes:
        postfix: the state of the run, written at the end of each line.
        narrow: whether the postfix must be short: no.
    """

    narrow = False

    def __init__(
        self, initial: int, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.postfix = ""
        self._n, self._total = initial, total
        self._clock = clock
        self._begun = self._last = clock()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *problem: object) -> None:
        self._say()

    def update(self, n: int) -> None:
        """Advance by `n` trials."""
        self._n += n
        self.refresh()

    def refresh(self) -> None:
        """Write a line, if the last one is at least a minute old."""
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
        write_on_stderr(f"{count} trials [{took}] {self.postfix}")


def tqdm_bar(initial: int, total: int | None) -> AbstractContextManager[Any]:
    """A tqdm bar on stderr, or a widget in a notebook. It fits into 80 columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets: tqdm falls back to text
        from tqdm.auto import tqdm

    import shutil  # imported here, because few modules need it

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
