"""Log messages of a run, on the logger `sparktune`: each failure as a warning, the rest at levels
info and debug.
"""

from __future__ import annotations

import logging

from sparktune.history import View
from sparktune.observers.progress import summary
from sparktune.trial import Asked, Event, Status, Stopped, Told

logger = logging.getLogger("sparktune")


def log(event: Event, history: View) -> None:
    """Log an event."""
    match event:
        case Asked(trial):
            logger.debug("trial %d started: %s", trial.id, dict(trial.values))
        case Told(trial) if trial.failure and trial.status is not Status.FAIL:
            logger.info("trial %d: %s: %s", trial.id, trial.status.value, trial.failure.message)
        case Told(trial):
            logger.debug("trial %d: %s, loss %s", trial.id, trial.status.value, trial.loss)
        case Stopped(reason):
            logger.info(
                "run ended (%s). Total trials: %d; %s", reason, len(history), summary(history)
            )
