"""Hyperopt-style documents: trials as nested dicts.

{'tid': 3, 'state': 2, 'result': {'loss': 0.1, 'status': 'ok'}, 'misc': {'tid': 3,
 'idxs': {'x': [3]}, 'vals': {'x': [0.5]}, ...}, 'book_time': ..., 'refresh_time': ..., ...}
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from datetime import datetime, timezone
from typing import Any, TypeAlias

from sparktune.trial import Trial, has_budget

Document: TypeAlias = dict[str, Any]

logger = logging.getLogger("sparktune")


def document(trial: Trial, labels: tuple[str, ...]) -> Document:
    """The document of a trial over a space with these labels."""
    given = trial.values
    vals = {label: [given[label]] if label in given else [] for label in sorted({*labels, *given})}
    built: Document = {
        "state": trial.status.job_state,
        "tid": trial.id,
        "spec": None,
        "result": {},
        "misc": {
            "tid": trial.id,
            "cmd": ("domain_attachment", "FMinIter_Domain"),
            "workdir": None,
            "idxs": {label: [trial.id] if values else [] for label, values in vals.items()},
            "vals": vals,
        },
        "exp_key": None,
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
    }
    if has_budget(trial):
        built["misc"]["budget"], built["misc"]["parent"] = trial.budget, trial.parent
    renew(built, trial)
    return built


def renew(doc: Document, trial: Trial) -> None:
    """Bring a document up to date with its trial, in place: whoever holds it sees the result."""
    if trial.failure and not trial.status.returned:
        doc["misc"]["error"] = (trial.failure.type, str(trial.failure))
    fallback = trial.status.value if trial.status.pending else "fail"
    doc["state"] = trial.status.job_state
    doc["result"] = trial.result if trial.result is not None else {"status": fallback}
    doc["book_time"] = _utc(trial.started or trial.asked)
    doc["refresh_time"] = _utc(trial.finished)


def _utc(seconds: float | None) -> datetime | None:
    """Naive UTC time with whole milliseconds, as Hyperopt's documents hold it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(round(seconds, 3), timezone.utc).replace(tzinfo=None)


class Ctrl:
    """What an objective with `pass_expr_memo_ctrl` gets besides its parameters: the document of its
    trial, and the way to attach things.

    `info`, `warn`, `error` and `debug` log a message on the logger `sparktune`.
    """

    info, warn = logger.info, logger.warning
    error, debug = logger.error, logger.debug

    def __init__(self, trials: Any, current_trial: Document) -> None:
        self.trials = trials
        self.current_trial = current_trial

    @property
    def attachments(self) -> TrialAttachments:
        """The attachments of the trial that runs."""
        return TrialAttachments(self.trials.attachments, self.current_trial["tid"])


class TrialAttachments(MutableMapping[str, Any]):
    """The attachments of one trial by name, stored in those of all."""

    def __init__(self, attachments: dict[str, Any], tid: int) -> None:
        self._attachments = attachments
        self._prefix = f"ATTACH::{tid}::"

    def __getitem__(self, name: str) -> Any:
        return self._attachments[f"{self._prefix}{name}"]

    def __setitem__(self, name: str, value: Any) -> None:
        self._attachments[f"{self._prefix}{name}"] = value

    def __delitem__(self, name: str) -> None:
        del self._attachments[f"{self._prefix}{name}"]

    def __iter__(self) -> Iterator[str]:
        prefix = self._prefix
        return iter([key[len(prefix) :] for key in self._attachments if key.startswith(prefix)])

    def __len__(self) -> int:
        return len(list(iter(self)))
