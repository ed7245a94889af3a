"""An observer that keeps a pickle of trials up to date during a run."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from sparktune.events import Event, Stopped, Told
from sparktune.history import View
from sparktune.journal.blobs import Blob, kind_of, pickled
from sparktune.journal.places import replace_file

logger = logging.getLogger("sparktune")

_SHARE = 0.05  # largest share of the run's time for saving


class Lasting(Protocol):
    """An object that can be pickled without some of its values."""

    def lasting(self, keep: Callable[[str, Any], Any]) -> Any:
        """A copy whose values of results and attachments are replaced by `keep(name, value)`."""


class Saving:
    """Saves trials to `path` when trials end, using at most 5 % of the run's time, and at the end
    of the run.

    The file is replaced as a whole, so a run that dies while saving leaves the previous one.
    Values that pickle cannot handle are pickled with cloudpickle, if it is installed. Values that
    neither can handle are left out, with a log message. If the file cannot be written, that is
    logged too, and the run continues.
    """

    def __init__(self, trials: Lasting, path: str) -> None:
        self._trials = trials
        self._path = os.path.abspath(path)  # an objective may change the working directory
        self._next = 0.0
        self._failed = False
        self._lost: set[str] = set()

    def __call__(self, event: Event, history: View) -> None:
        """Save the trials if the event and the time since the last save require it."""
        begun = time.monotonic()
        if isinstance(event, Stopped) or (isinstance(event, Told) and begun >= self._next):
            try:
                self._save()
            except Exception:  # such as a full disk: it must not end the run
                logger.warning("cannot save to %s", self._path, exc_info=not self._failed)
                self._failed = True
            ended = time.monotonic()
            self._next = ended + (ended - begun) / _SHARE

    def _save(self) -> None:
        try:
            content = pickled(self._trials)
        except Exception:
            content = pickled(self._trials.lasting(self._keep))
        replace_file(self._path, content)

    def _keep(self, name: str, value: Any) -> Any:
        try:
            pickled(value)
        except Exception as error:
            kind = kind_of(value)
            if name not in self._lost:
                self._lost.add(name)
                logger.warning("%s lacks %s, a %s: %s", self._path, name, kind, error)
            return Blob(kind, "", "")
        return value
