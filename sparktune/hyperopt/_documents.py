"""Validation of Hyperopt's trial documents, and their conversion to records.

A document stores the parameters of a trial in `misc['vals']`, {label: [value] or []}, and for each
value the id of the trial in `misc['idxs']`, {label: [id] or []}.
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
"""The states of the trials in `Trials.trials`."""

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
    """Return a document after checking that it has all required keys, with values of known types.

    Raises:
        InvalidTrial: a key is missing, or a value has a wrong type.
    """
    if not isinstance(doc, Mapping):
        raise InvalidTrial("a trial must be a dict, got", doc)
    if missing := [key for key in TRIAL_KEYS if key not in doc]:
        raise InvalidTrial(f"the trial lacks {missing}; it must have {TRIAL_KEYS}:", doc)
    if problem := _problem_of_ids(doc, doc["misc"]) or _problem_of_parts(doc):
        raise InvalidTrial(f"{problem}:", doc)
    return doc if isinstance(doc, dict) else dict(doc)


def _problem_of_ids(doc: Mapping[str, Any], misc: Any) -> str | None:
    """Describe what is wrong with the ids and the state of a document; None if they are valid."""
    if not isinstance(misc, Mapping):
        return f"the trial's misc must be a dict, got {kind_of(misc)}"
    if missing := [key for key in TRIAL_MISC_KEYS if key not in misc]:
        return f"the trial's misc lacks {missing}; it must have {TRIAL_MISC_KEYS}"
    for name, value in (("tid", doc["tid"]), ("misc's tid", misc["tid"]), ("state", doc["state"])):
        if not isinstance(value, _IDS):
            return f"{name} must be an integer or a string, got {kind_of(value)}"
    if doc["tid"] != misc["tid"]:
        return f"tid {doc['tid']!r} differs from misc's tid {misc['tid']!r}"
    if doc["state"] not in JOB_STATES:
        return f"state {doc['state']!r} must be one of the job states {JOB_STATES}"
    return None


def kind_of(value: Any) -> str:
    """Return the class name of a value, for messages."""
    return type(value).__name__


def _problem_of_parts(doc: Mapping[str, Any]) -> str | None:
    """Describe what is wrong with the parts that a record is made from; None if they are valid."""
    misc, result = doc["misc"], doc["result"]
    if not (doc["exp_key"] is None or isinstance(doc["exp_key"], _IDS)):
        return f"exp_key must be a string, an integer or None, got {kind_of(doc['exp_key'])}"
    if not isinstance(result, Mapping):
        return f"result must be a dict, got {kind_of(result)}"
    if not isinstance(result.get("status"), str):
        return "the result's status must be a string"
    loss = result.get("loss")
    if loss is not None and as_number(loss) is None:
        return f"the result's loss must be a number, got {kind_of(loss)}"
    error = misc.get("error")
    if error is not None and not (isinstance(error, (list, tuple)) and len(error) == 2):
        return "misc's error must be a pair of strings"
    return _problem_of_values(misc["idxs"], misc["vals"])


def _problem_of_values(idxs: Any, vals: Any) -> str | None:
    for name, given in (("idxs", idxs), ("vals", vals)):
        if not isinstance(given, Mapping):
            return f"misc's {name} must be a dict, got {kind_of(given)}"
        for label, values in given.items():
            if not isinstance(label, str):
                return f"misc's {name} has a label that is not a string"
            if not isinstance(values, (list, tuple)) and getattr(values, "ndim", 0) != 1:
                return f"misc's {name} of {label!r} must be a list, got {kind_of(values)}"
            if len(values) > 1:
                return f"misc's {name} of {label!r} has {len(values)} values; it must have 0 or 1"
            if any(not isinstance(value, _VALUES) for value in values):
                return f"misc's {name} of {label!r} must be a number or a string"
    return None


def record(doc: Document) -> Trial:
    """Convert a document to a record."""
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
    """Return "Name" for "<class 'package.Name'>", which Hyperopt writes."""
    return str(kind).removeprefix("<class '").removesuffix("'>").rpartition(".")[2]


def _traceback(message: Any) -> str:
    return message if isinstance(message, str) and message.startswith("Traceback") else ""


def _seconds(time: Any) -> float | None:
    """Convert the naive UTC time of a document to seconds since the epoch."""
    if not isinstance(time, datetime):
        return None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()


def spec_from_misc(misc: Mapping[str, Any]) -> dict[str, Any]:
    """Return {label: value} of the active parameters.

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
    """Convert a numpy scalar to a Python scalar; return any other value as it is."""
    return value.item() if isinstance(value, np.generic) else value


def miscs_to_idxs_vals(
    miscs: Sequence[Mapping[str, Any]], keys: Iterable[str] | None = None
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Return ({label: ids of the trials in which it is active}, {label: its values in them}).

    Args:
        miscs: the `misc` part of each document.
        keys: labels; None: the labels of the first misc.

    Raises:
        ValueError: miscs is empty, and keys is None.
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
    """Write parameter values into the miscs of trials.

    Args:
        miscs: the `misc` part of each document; changed in place and returned.
        idxs: {label: ids of trials}.
        vals: {label: values}, one value for each id.
        assert_all_vals_used: whether an id that is in no misc is an error.
        idxs_map: {id in idxs: id of a trial}; ids that it does not have stay the same.

    Raises:
        KeyError: an id is in no misc, and assert_all_vals_used is True.
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
    """Return documents of new trials of an experiment, one for each id."""
    source = {"state": JOB_STATE_NEW, "exp_key": exp_key, "owner": None}
    source |= {"book_time": None, "refresh_time": None}
    parts = zip(tids, specs, results, miscs, strict=True)
    return [
        source | {"tid": tid, "spec": spec, "result": result, "misc": misc, "version": 0}
        for tid, spec, result, misc in parts
    ]


def derived(docs: list[Document], sources: Sequence[Document]) -> list[Document]:
    """Copy state, experiment, owner and times of each source into its document; returns docs."""
    for doc, source in zip(docs, sources, strict=True):
        doc |= {key: source[key] for key in ("state", "exp_key", "owner")}
        doc |= {key: source[key] for key in ("book_time", "refresh_time")}
        for key, value in (("tid", doc["tid"]), ("cmd", None), ("from_tid", source["tid"])):
            doc["misc"].setdefault(key, value)
    return docs
