"""A progress bar, in terminals and notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeAlias

import numpy as np

from sparktune.history import CODES, View
from sparktune.trial import Event, Status, Stopped, Told

BarFactory: TypeAlias = Callable[..., AbstractContextManager[Any]]
"""`factory(initial=, total=)` gives a context manager of an object with `update(n)` and a settable
`postfix`.
"""


class Progress:
    """Advances a bar by one for each ended trial, and shows the best loss and how many are done,
    failed and running.

    Args:
        factory: makes the bar.
        history: the trials before this run.
        total: trials there will be at the end; None if nobody knows.
        running: says how many trials run now (of the pending ones, some may wait).
    """

    def __init__(
        self, factory: BarFactory, history: View, total: int | None, running: Callable[[], int]
    ) -> None:
        self._running = running
        initial = len(history) - int(history.pending.sum())
        self._stack = ExitStack()
        self._bar = self._stack.enter_context(factory(initial=initial, total=total))

    def __call__(self, event: Event, history: View) -> None:
        """Show an event."""
        if isinstance(event, Stopped):
            self._stack.close()
            return
        self._bar.postfix = f"{summary(history)}, running: {self._running()}"
        if isinstance(event, Told):
            self._bar.update(1)
        elif history.pending.all() and hasattr(self._bar, "refresh"):
            self._bar.refresh()  # so that a run with long trials shows that they run


def summary(history: View) -> str:
    """One line: best loss, and how many trials are done, failed and, if any, cancelled."""
    ok, cancelled = int(history.ok.sum()), int((history.status == CODES[Status.CANCELLED]).sum())
    failed = len(history) - ok - cancelled - int(history.pending.sum())
    best = f"{history.best:.6g}" if np.isfinite(history.best) else "none yet"
    text = f"best loss: {best}, done: {ok}, failed: {failed}"
    return f"{text}, cancelled: {cancelled}" if cancelled else text


def tqdm_bar(initial: int, total: int | None) -> AbstractContextManager[Any]:
    """A tqdm bar on stderr, or a widget in a notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets: tqdm falls back to text
        from tqdm.auto import tqdm

    bar: AbstractContextManager[Any] = tqdm(
        initial=initial, total=total, unit="trial", dynamic_ncols=True, smoothing=0.1
    )
    return bar
