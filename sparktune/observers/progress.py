"""A progress bar, in terminals and notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeAlias

import numpy as np

from sparktune.history import View
from sparktune.trial import Event, Stopped, Told

BarFactory: TypeAlias = Callable[..., AbstractContextManager[Any]]
"""`factory(initial=, total=)` gives a context manager of an object with `update(n)` and a settable
`postfix`.
"""


class Progress:
    """Advances a bar by one for each ended trial, and shows the best loss and how many are done,
    failed and running.

    Args:
        factory: makes the bar.
        initial: trials that ended before this run.
        total: trials there will be at the end; None if nobody knows.
    """

    def __init__(self, factory: BarFactory, initial: int, total: int | None) -> None:
        self._stack = ExitStack()
        self._bar = self._stack.enter_context(factory(initial=initial, total=total))

    def __call__(self, event: Event, history: View) -> None:
        """Show an event."""
        if isinstance(event, Stopped):
            self._stack.close()
            return
        self._bar.postfix = summary(history)
        self._bar.update(1 if isinstance(event, Told) else 0)


def summary(history: View) -> str:
    """One line: best loss, and how many trials are done, failed and running."""
    ok, running = int(history.ok.sum()), int(history.pending.sum())
    failed = len(history) - ok - running
    best = f"{history.best:.6g}" if np.isfinite(history.best) else "none yet"
    return f"best loss: {best}, done: {ok}, failed: {failed}, running: {running}"


def tqdm_bar(initial: int, total: int | None) -> AbstractContextManager[Any]:
    """A tqdm bar on stderr, or a widget in a notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets: tqdm falls back to text
        from tqdm.auto import tqdm

    bar: AbstractContextManager[Any] = tqdm(
        initial=initial, total=total, unit="trial", dynamic_ncols=True, smoothing=0.1
    )
    return bar
