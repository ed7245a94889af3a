"""The names of trials and studies in MLflow: keys, parameters, metrics, tags.

Some tags and metrics have the names of Databricks' Hyperopt, so that saved searches also find new
runs.
"""

from __future__ import annotations

import hashlib
import math
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sparktune import worker
from sparktune.results.cells import duration, error
from sparktune.results.finished import Finished, parameters
from sparktune.trial import Header, Status, Trial, has_budget

STUDY = "sparktune.study"
STUDIES = "sparktune.studies"
TRIAL = "sparktune.trial"
STATUS = "sparktune.status"
ERROR = "sparktune.error"
DUPLICATE = "sparktune.duplicate"
PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
KEY_LENGTH, PARAM_LENGTH, TAG_LENGTH = 250, 6000, 5000  # MLflow's limits, in characters
_METRICS = 500  # largest number for one trial
_FORBIDDEN = re.compile(r"[^\w\-./: ]")
_ENDS = {Status.OK: "FINISHED", Status.CANCELLED: "KILLED"}
_HYPEROPT = {Status.OK: "success", Status.CANCELLED: "cancelled"}


def study_id(header: Header) -> str:
    """A unique id of the study, the same in all its runs."""
    text = f"{header.created!r} {header.seed} {header.space}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def keys(labels: Iterable[str]) -> dict[str, str]:
    """{label: key} with keys that MLflow accepts, different for different labels."""
    found: dict[str, str] = {}
    for label in labels:
        found[label] = _unused(_key(label), found.values())
    return found


def _key(label: str) -> str:
    text = _FORBIDDEN.sub("_", label)
    if posixpath.normpath(text) != text or text.startswith(
        (".", "/")
    ):  # MLflow would take it for a path
        text = text.replace("/", "_").lstrip(".") or "_"
    return text[:KEY_LENGTH]


def _unused(key: str, used: Iterable[str]) -> str:
    used, n, name = set(used), 2, key
    while name in used:
        end = f"_{n}"
        name, n = key[: KEY_LENGTH - len(end)] + end, n + 1
    return name


def params(study: Finished, trial: Trial, named: Mapping[str, str]) -> dict[str, str]:
    """{key: value} of the active parameters; a choice has the text of its option."""
    values = parameters(study, trial)
    return {
        named.get(label, _key(label)): _cut(value, PARAM_LENGTH) for label, value in values.items()
    }


def metrics(trial: Trial) -> dict[str, float]:
    """The loss, the duration in seconds, and every other finite number in the result."""
    found = {"loss": trial.loss, "duration_s": duration(trial)}
    if has_budget(trial):
        found["budget"] = trial.budget
    for key, value in (trial.result or {}).items():
        if isinstance(key, str) and key not in found and not isinstance(value, bool):
            found[key] = worker.as_number(value)
    finite = {k: v for k, v in found.items() if v is not None and math.isfinite(v)}
    named = keys(finite)
    return {named[key]: value for key, value in list(finite.items())[:_METRICS]}


def end(trial: Trial) -> str:
    """MLflow's status of the run of an ended trial."""
    return _ENDS.get(trial.status, "FAILED")


def asked_tags(study: str, parent: str, trial: Trial) -> dict[str, str]:
    """The tags that the run of a trial gets when it is created."""
    return {PARENT: parent, STUDY: study, TRIAL: str(trial.id), **_common(study)}


def told_tags(trial: Trial) -> dict[str, str]:
    """The tags that the run of a trial gets when the trial has ended."""
    found = {STATUS: trial.status.value, "trial_status": _HYPEROPT.get(trial.status, "failure")}
    why = error(trial)
    return found | ({ERROR: _cut(why, TAG_LENGTH)} if why else {})


def study_tags(study: str, space: Mapping[str, str]) -> dict[str, str]:
    """The tags of a study's parent run."""
    described = "; ".join(f"{label}: {what}" for label, what in space.items())
    return {STUDY: study, "space": _cut(described, TAG_LENGTH), **_common(study)}


def _common(study: str) -> dict[str, str]:
    return {"fmin_uuid": study[:6], "runSource": "hyperoptAutoTracking"}


def study_params(header: Header, about: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a study's parent run: facts about the study, and its priors."""
    found = {"objective": header.objective, "seed": header.seed, **about}
    named = keys(f"space.{label}" for label in header.columns)
    found |= {named[f"space.{label}"]: what for label, what in header.columns.items()}
    return {key: _cut(value, PARAM_LENGTH) for key, value in found.items() if value is not None}


def counts(trials: Iterable[Trial]) -> dict[str, float]:
    """The numbers of ended trials by status, with the names of Databricks' Hyperopt."""
    ends = [trial.status for trial in trials if not trial.status.pending]
    ok, cancelled = ends.count(Status.OK), ends.count(Status.CANCELLED)
    return {
        "total_trials_count": len(ends),
        "successful_trials_count": ok,
        "failed_trials_count": len(ends) - ok - cancelled,
        "cancelled_trials_count": cancelled,
    }


def _cut(value: Any, longest: int) -> str:
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
