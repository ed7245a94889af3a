"""Log messages about a run, on the logger `sparktune`."""

from __future__ import annotations

import logging

from sparktune.events import Asked, Event, Stopped, Told
from sparktune.history import View
from sparktune.observers.progress import summary
from sparktune.trial import Status

logger = logging.getLogger("sparktune")


class Log:
    """Logs the first failure at the level `first`, later failures and the end of the run at INFO,
    and everything else at DEBUG.
    """

    def __init__(self, first: int = logging.WARNING) -> None:
        self._failure_level = first

    def __call__(self, event: Event, history: View) -> None:
        """Log an event."""
        match event:
            case Asked(trial):
                logger.debug("trial %d started: %s", trial.id, dict(trial.values))
            case Told(trial) if trial.failure and trial.status is not Status.FAIL:
                text = "trial %d ended: %s: %s: %s%s"
                why = trial.status.value, trial.failure.type, trial.failure.message
                logger.log(self._failure_level, text, trial.id, *why, trial.last_lines)
                self._failure_level = logging.INFO
            case Told(trial):
                logger.debug(
                    "trial %d ended: %s, loss %s", trial.id, trial.status.value, trial.loss
                )
            case Stopped(reason):
                logger.info(
                    "run ended (%s). Total trials: %d; %s", reason, len(history), summary(history)
                )
