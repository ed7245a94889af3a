"""Trials as the history that rules read, where there are only Hyperopt's documents of them."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import numpy as np

from sparktune.history import CODES, View
from sparktune.trial import Status

_STATUSES = {status.value: status for status in Status}


def history_of(trials: Any, begun: float | None = None) -> View:
    """The history of `trials` as of now, without parameters.

    Args:
        trials: an object whose `trials` are documents.
        begun: when the run began, seconds since the epoch; None: with the trial that ended last,
            which is right when this is called after the first end of a run.
    """
    docs = list(trials.trials)
    statuses = [_STATUSES.get(doc["result"].get("status"), Status.FAIL) for doc in docs]
    losses = [doc["result"].get("loss") for doc in docs]
    started = np.array([_seconds(doc["book_time"]) for doc in docs])
    finished = np.array(
        [
            np.nan if status.pending else _seconds(doc["refresh_time"])
            for status, doc in zip(statuses, docs, strict=True)
        ]
    )
    now = time.time()
    if begun is None:
        known = np.isfinite(started) & np.isfinite(finished)
        begun = float(started[known][np.argmax(finished[known])]) if known.any() else now
    return View(
        X=np.empty((len(docs), 0)),
        loss=np.array([np.nan if loss is None else loss for loss in losses], dtype=float),
        status=np.array([CODES[status] for status in statuses], dtype=np.int8),
        budget=np.ones(len(docs)),
        started=started,
        finished=finished,
        now=now,
        begun=begun,
    )


def _seconds(moment: datetime | None) -> float:
    """A naive UTC time of a document as seconds since the epoch."""
    return np.nan if moment is None else moment.replace(tzinfo=timezone.utc).timestamp()
