"""Hyperopt-style documents, which describe trials as nested dicts.

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
    """Return the document of a trial in a space with these labels."""
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
    """Update a document from its trial, in place, so that references to it see the result."""
    if trial.failure and not trial.status.returned:
        doc["misc"]["error"] = (trial.failure.type, str(trial.failure))
    fallback = trial.status.value if trial.status.pending else "fail"
    doc["state"] = trial.status.job_state
    doc["result"] = trial.result if trial.result is not None else {"status": fallback}
    doc["book_time"] = _utc(trial.started or trial.asked)
    doc["refresh_time"] = _utc(trial.finished)


def _utc(seconds: float | None) -> datetime | None:
    """Convert seconds to naive UTC time, rounded to milliseconds, as in Hyperopt's documents."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(round(seconds, 3), timezone.utc).replace(tzinfo=None)


class Ctrl:
    """The argument `ctrl` of objectives with `pass_expr_memo_ctrl`: the document of the current
    trial and its attachments.

    `info`, `warn`, `error` and `debug` log a message with the logger `sparktune`.
    """

    info, warn = logger.info, logger.warning
    error, debug = logger.error, logger.debug

    def __init__(self, trials: Any, current_trial: Document) -> None:
        self.trials = trials
        self.current_trial = current_trial

    @property
    def attachments(self) -> TrialAttachments:
        """The attachments of the current trial."""
        return TrialAttachments(self.trials.attachments, self.current_trial["tid"])


class TrialAttachments(MutableMapping[str, Any]):
    """The attachments of one trial by name, stored in the attachments of all trials."""

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
