"""Keeps a pickle of an object up to date while it changes."""

from __future__ import annotations

import logging
import os
import pickle
import time
from pathlib import Path
from typing import Any

from sparktune.history import View
from sparktune.trial import Event, Stopped, Told

logger = logging.getLogger("sparktune")

_SHARE = 0.05  # of the run's time may go into saving


class Saving:
    """Saves `thing` to `path` after trials end, as often as 5 % of the time allows, and at the end
    of the run.

    A file is replaced as a whole, so a run that dies while saving leaves the one before. What
    cannot be saved is logged, and the run goes on.
    """

    def __init__(self, thing: Any, path: str) -> None:
        self._thing = thing
        self._path = Path(path)
        self._next = 0.0
        self._failed = False

    def __call__(self, event: Event, history: View) -> None:
        """Save if it is time to."""
        begun = time.monotonic()
        if isinstance(event, Stopped) or (isinstance(event, Told) and begun >= self._next):
            try:
                save(self._thing, self._path)
            except Exception:  # a full disk, a result without a pickle: the run is worth more
                logger.warning("cannot save to %s", self._path, exc_info=not self._failed)
                self._failed = True
            ended = time.monotonic()
            self._next = ended + (ended - begun) / _SHARE


def save(thing: Any, path: Path) -> None:
    """Write a pickle of `thing`, replacing the file in one step."""
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as file:
        pickle.dump(thing, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
