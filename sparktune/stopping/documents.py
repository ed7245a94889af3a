"""The history for stopping rules, from Hyperopt's documents of trials."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import numpy as np

from sparktune.history import View
from sparktune.trial import Status, Trial

_STATUSES = {status.value: status for status in Status}


def view_of(trials: Any, begun: float | None = None) -> View:
    """The history of `trials` as of now, without parameters.

    Args:
        trials: an object whose `trials` are documents.
        begun: the time at which the run began, in seconds since the epoch; None: when the trial
            that ended last was asked for, which is correct if called after the first end of a run.
    """
    records = [_trial(i, doc) for i, doc in enumerate(trials.trials)]
    now = time.time()
    if begun is None:
        known = [
            (t.finished, t.asked) for t in records if t.finished is not None and t.asked is not None
        ]
        begun = max(known, key=lambda times: times[0])[1] if known else now
    return View.of(records, np.empty((len(records), 0)), now, begun)


def _trial(id: int, doc: Any) -> Trial:
    status = _STATUSES.get(doc["result"].get("status"), Status.FAIL)
    asked, ended = _seconds(doc["book_time"]), _seconds(doc["refresh_time"])
    finished = None if status.pending else ended
    return Trial(id, {}, status, loss=doc["result"].get("loss"), asked=asked, finished=finished)


def _seconds(moment: datetime | None) -> float | None:
    """A naive UTC time of a document as seconds since the epoch."""
    return None if moment is None else moment.replace(tzinfo=timezone.utc).timestamp()
