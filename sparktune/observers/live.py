"""A summary of a run in a notebook, updated in place."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from sparktune.events import Event, Stopped
from sparktune.history import View
from sparktune.reporting import pictures
from sparktune.results import series, summary
from sparktune.results.finished import Finished

_EVERY = 2.0  # smallest number of seconds between updates
_SHARE = 0.05  # largest share of the run's time for updates
_STYLE = (
    "<style>.sparktune-live svg{max-width:36em;font:11px sans-serif;fill:currentColor}"
    ".sparktune-live path{fill:none;stroke:#0072b2;stroke-width:2}"
    ".sparktune-live .axis,.sparktune-live .grid{stroke:currentColor;stroke-width:1;opacity:.3}"
    ".sparktune-live .dot{opacity:.3}</style>"
)


class Live:
    """Shows the state of a study and its best loss so far, at most every 2 seconds.

    Args:
        study: the study, which changes while the run lasts.
        display: shows HTML, and returns a function that replaces it with other HTML.
        clock: returns seconds of a monotonic clock.
    """

    def __init__(
        self,
        study: Finished,
        display: Callable[[str], Callable[[str], None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study = study
        self._display = display
        self._clock = clock
        self._show: Callable[[str], None] | None = None
        self._next = float("-inf")

    def __call__(self, event: Event, history: View) -> None:
        """Update the summary, if the last update is long enough ago or the event is `Stopped`."""
        begun = self._clock()
        if begun < self._next and not isinstance(event, Stopped):
            return
        shown = html(self._study)
        if self._show is None:
            self._show = self._display(shown)
        else:
            self._show(shown)
        ended = self._clock()
        self._next = ended + max(_EVERY, (ended - begun) / _SHARE)


def html(study: Finished) -> str:
    """The summary of a study as HTML, about 30 kB at most."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(key)}</th><td>{escape(value[:300])}</td></tr>'
        for key, value in summary.summary(study).items()
    )
    return f'<div class="sparktune-live">{_STYLE}<table>{rows}</table>{_picture(study)}</div>'


def _picture(study: Finished) -> str:
    ended = [trial for trial in study.records.values() if not trial.status.pending]
    columns = series.columns_of(study, ended)
    if not columns.usable.any():
        return ""
    best = np.fmin.accumulate(columns.compared)
    x = np.arange(len(best), dtype=float)
    keep = np.unique(np.linspace(0, len(best) - 1, 200).astype(np.int64))
    line = pictures.Line("best so far", x, best)
    cloud = (x[keep], columns.loss[keep])
    return pictures.losses([line], cloud, series.top(columns.loss), "Loss of each trial")


def in_ipython(shown: str) -> Callable[[str], None]:
    """Show HTML in the running cell; return a function that replaces it with other HTML."""
    from IPython.display import HTML, display

    made: Any = HTML
    shows: Any = display
    handle = shows(made(shown), display_id=True)
    return lambda other: handle.update(made(other))
