"""Documents of trials, read: from Hyperopt's nested dicts to records, and between their parts.

A document holds a trial's parameters as `misc['vals']`, {label: [value] or []}, and the id under
which each is stored as `misc['idxs']`; the two go together everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from sparktune.documents import Document
from sparktune.errors import InvalidTrial
from sparktune.trial import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_SUSPENDED,
    Failure,
    Scalar,
    Status,
    Trial,
)
from sparktune.worker import as_number

STATUS_STRINGS = (STATUS_NEW, STATUS_RUNNING, STATUS_SUSPENDED, STATUS_OK, STATUS_FAIL)
JOB_STATES = [
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_CANCEL,
]
JOB_VALID_STATES = {JOB_STATE_NEW, JOB_STATE_RUNNING, JOB_STATE_DONE}
"""States of the trials that `Trials.trials` lists."""

TRIAL_KEYS = [
    *("tid", "spec", "result", "misc", "state"),
    *("owner", "book_time", "refresh_time", "exp_key"),
]
TRIAL_MISC_KEYS = ["tid", "cmd", "idxs", "vals"]

_STATUSES = {
    JOB_STATE_NEW: Status.NEW,
    JOB_STATE_RUNNING: Status.RUNNING,
    JOB_STATE_ERROR: Status.ERROR,
    JOB_STATE_CANCEL: Status.CANCELLED,
}

_IDS = (int, str, np.integer)

_VALUES = (int, float, str, np.generic)


def validated(doc: Any) -> Document:
    """The document, if it has all required keys, with values that can be read.

    Raises:
        InvalidTrial: it does not.
    """
    if not isinstance(doc, Mapping):
        raise InvalidTrial("a trial must be a dict, got", doc)
    if missing := [key for key in TRIAL_KEYS if key not in doc]:
        raise InvalidTrial(f"the trial lacks {missing}; it must have {TRIAL_KEYS}:", doc)
    if wrong := _unreadable_ids(doc, doc["misc"]) or _unreadable(doc):
        raise InvalidTrial(f"{wrong}:", doc)
    return doc if isinstance(doc, dict) else dict(doc)


def _unreadable_ids(doc: Mapping[str, Any], misc: Any) -> str | None:
    """What is wrong with the parts of a document that identify it."""
    if not isinstance(misc, Mapping):
        return f"the trial's misc must be a dict, got {kind_of(misc)}"
    if missing := [key for key in TRIAL_MISC_KEYS if key not in misc]:
        return f"the trial's misc lacks {missing}; it must have {TRIAL_MISC_KEYS}"
    for name, value in (("tid", doc["tid"]), ("misc's tid", misc["tid"]), ("state", doc["state"])):
        if not isinstance(value, _IDS):
            return f"{name} must be a number or a text, got {kind_of(value)}"
    if doc["tid"] != misc["tid"]:
        return f"tid {doc['tid']!r} differs from misc's tid {misc['tid']!r}"
    if doc["state"] not in JOB_STATES:
        return f"state {doc['state']!r} must be one of the job states {JOB_STATES}"
    return None


def kind_of(value: Any) -> str:
    """The name of a value's class, for a message about it."""
    return type(value).__name__


def _unreadable(doc: Mapping[str, Any]) -> str | None:
    """What is wrong with the parts of a document that become a record."""
    misc, result = doc["misc"], doc["result"]
    if not (doc["exp_key"] is None or isinstance(doc["exp_key"], _IDS)):
        return f"exp_key must be a text or None, got {kind_of(doc['exp_key'])}"
    if not isinstance(result, Mapping):
        return f"result must be a dict, got {kind_of(result)}"
    if not isinstance(result.get("status"), str):
        return "the result's status must be a text"
    loss = result.get("loss")
    if loss is not None and as_number(loss) is None:
        return f"the result's loss must be a number, got {kind_of(loss)}"
    error = misc.get("error")
    if error is not None and not (isinstance(error, (list, tuple)) and len(error) == 2):
        return "misc's error must be a pair of texts"
    return _unreadable_values(misc["idxs"], misc["vals"])


def _unreadable_values(idxs: Any, vals: Any) -> str | None:
    for name, given in (("idxs", idxs), ("vals", vals)):
        if not isinstance(given, Mapping):
            return f"misc's {name} must be a dict, got {kind_of(given)}"
        for label, values in given.items():
            if not isinstance(label, str):
                return f"misc's {name} has a label that is not a text"
            if not isinstance(values, (list, tuple)) and getattr(values, "ndim", 0) != 1:
                return f"misc's {name} of {label!r} must be a list, got {kind_of(values)}"
            if len(values) > 1:
                return f"misc's {name} of {label!r} has {len(values)} values; one, or none"
            if any(not isinstance(value, _VALUES) for value in values):
                return f"misc's {name} of {label!r} must be a number or a text"
    return None


def record(doc: Document) -> Trial:
    """The record that a document describes."""
    status, loss, failure = _end(doc)
    booked, refreshed = _seconds(doc.get("book_time")), _seconds(doc.get("refresh_time"))
    return Trial(
        doc["tid"],
        spec_from_misc(doc["misc"]),
        status,
        loss=loss,
        result=None if status.pending else doc.get("result"),
        failure=failure,
        asked=booked,
        started=None if status is Status.NEW else booked,
        finished=None if status.pending else refreshed,
    )


def _end(doc: Document) -> tuple[Status, float | None, Failure | None]:
    state, result = doc["state"], doc.get("result") or {}
    if state != JOB_STATE_DONE:
        kind, message = (*doc["misc"].get("error", ()), "", "")[:2]
        failed = state == JOB_STATE_ERROR
        failure = Failure(_class_name(kind), str(message), _traceback(message)) if failed else None
        return _STATUSES[state], None, failure
    loss = as_number(result.get("loss"))
    if result.get("status") == STATUS_OK and loss is not None and loss == loss:
        return Status.OK, loss, None
    message = f"status {result.get('status')!r} with loss {result.get('loss')!r}"
    return Status.FAIL, None, Failure("Fail", message)


def _class_name(kind: Any) -> str:
    """The bare name in "<class 'package.Name'>", as Hyperopt wrote it."""
    return str(kind).removeprefix("<class '").removesuffix("'>").rpartition(".")[2]


def _traceback(message: Any) -> str:
    return message if isinstance(message, str) and message.startswith("Traceback") else ""


def _seconds(time: Any) -> float | None:
    """Seconds since the epoch of a document's naive UTC time."""
    if not isinstance(time, datetime):
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()


def spec_from_misc(misc: Mapping[str, Any]) -> dict[str, Any]:
    """{label: value} of the parameters that were active.

    Raises:
        NotImplementedError: a label has several values.
    """
    spec: dict[str, Any] = {}
    for label, values in misc.get("vals", {}).items():
        if len(values) > 1:
            raise NotImplementedError("multiple values", (label, values))
        if len(values):
            spec[label] = scalar(values[0])
    return spec


def scalar(value: Any) -> Any:
    """A number of numpy as the Python number it stands for; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def miscs_to_idxs_vals(
    miscs: Sequence[Mapping[str, Any]], keys: Iterable[str] | None = None
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Per label, the ids of the trials in which it was active and its values there.

    Raises:
        ValueError: there are no miscs to take the labels from, and no `keys`.
    """
    if keys is None:
        if not miscs:
            raise ValueError("no trials to take labels from: miscs is empty; give keys=")
        keys = miscs[0]["idxs"]
    idxs: dict[str, list[Any]] = {key: [] for key in keys}
    vals: dict[str, list[Any]] = {key: [] for key in idxs}
    for misc in miscs:
        for key in idxs:
            idxs[key].extend(misc["idxs"].get(key, []))
            vals[key].extend(misc["vals"].get(key, []))
    return idxs, vals


def miscs_update_idxs_vals(
    miscs: list[dict[str, Any]],
    idxs: Mapping[str, Sequence[Any]],
    vals: Mapping[str, Sequence[Scalar]],
    assert_all_vals_used: bool = True,
    idxs_map: Mapping[Any, Any] | None = None,
) -> list[dict[str, Any]]:
    """Write values, given per label with the ids of their trials, into the trials' miscs.

    Args:
        miscs: changed in place, and returned.
        idxs: per label, ids of trials; renamed by `idxs_map` where that has them.
        vals: per label, the values for these ids.
        assert_all_vals_used: whether an id that no misc has is an error.

    Raises:
        KeyError: such an id.
    """
    by_id = {misc["tid"]: misc for misc in miscs}
    for misc in miscs:
        misc["idxs"] = {key: [] for key in idxs}
        misc["vals"] = {key: [] for key in idxs}
    for key, ids in idxs.items():
        for id, value in zip(ids, vals[key], strict=True):
            tid = (idxs_map or {}).get(id, id)
            if assert_all_vals_used or tid in by_id:
                by_id[tid]["idxs"][key] = [tid]
                by_id[tid]["vals"][key] = [scalar(value)]
    return miscs


def new_documents(
    tids: Sequence[Any],
    specs: Sequence[Any],
    results: Sequence[Any],
    miscs: Sequence[dict[str, Any]],
    exp_key: Any,
) -> list[Document]:
    """Documents of new trials of an experiment, one for each id."""
    source = {"state": JOB_STATE_NEW, "exp_key": exp_key, "owner": None}
    source |= {"book_time": None, "refresh_time": None}
    parts = zip(tids, specs, results, miscs, strict=True)
    return [
        source | {"tid": tid, "spec": spec, "result": result, "misc": misc, "version": 0}
        for tid, spec, result, misc in parts
    ]


def derived(docs: list[Document], sources: Sequence[Document]) -> list[Document]:
    """The documents, each with the state, owner and times of its source."""
    for doc, source in zip(docs, sources, strict=True):
        doc |= {key: source[key] for key in ("state", "exp_key", "owner")}
        doc |= {key: source[key] for key in ("book_time", "refresh_time")}
        for key, value in (("tid", doc["tid"]), ("cmd", None), ("from_tid", source["tid"])):
            doc["misc"].setdefault(key, value)
    return docs
