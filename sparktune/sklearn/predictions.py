"""Predictions for samples that a model did not learn from: which are kept, and how they are read.

N    kept entries: pairs of a fold and a sample of its test fold, in the order of the folds
k    classes
m    candidates whose predictions are kept
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from sparktune.errors import InvalidArgument
from sparktune.events import Event, Told
from sparktune.history import View
from sparktune.journal.blobs import Blob
from sparktune.sklearn.rows import PREDICTIONS, Answers
from sparktune.study import Study

CANDIDATES = 50
"""How many candidates' predictions are kept: those of the best so far."""

_ENTRIES = 10_000
_NUMBERS = 2**24 // CANDIDATES  # for each candidate: 64 MB of floats in all


@dataclass(frozen=True, slots=True)
class Entries:
    """The kept entries.

    positions    for each fold, positions of the kept samples in the test fold
    rows         (N,) their rows of X
    folds        (N,) their folds
    y            (N,) their targets
    units        (N,) numbers of what is drawn together: a sample, or a group of samples
    classes      (k,) of a classifier's targets, sorted; None for other estimators
    complete     whether no entry was left out
    """

    positions: Sequence[NDArray[np.intp]]
    rows: NDArray[np.intp]
    folds: NDArray[np.intp]
    y: NDArray[Any]
    units: NDArray[np.intp]
    classes: NDArray[Any] | None
    complete: bool


def entries(estimator: Any, y: Any, splits: Sequence[Any], groups: Any) -> Entries | None:
    """The entries to be kept: all, or 10,000 of them at random (fewer where there are more than 33
    classes), the same for every candidate; None where there are no targets, or several for each
    sample.
    """
    if y is None or np.ndim(y) != 1:
        return None
    tests = [_positions(test, _num_samples(y)) for _, test in splits]
    sizes = [len(test) for test in tests]
    n = sum(sizes)
    targets = np.asarray(y)
    classes = np.unique(targets) if is_classifier(estimator) else None
    most = min(_ENTRIES, _NUMBERS // (1 if classes is None else len(classes)))
    chosen = np.arange(n)
    if n > most:
        chosen = np.sort(np.random.default_rng(0).choice(n, most, replace=False))
    starts = np.cumsum([0, *sizes])
    positions = [
        chosen[(chosen >= start) & (chosen < start + size)] - start
        for start, size in zip(starts[:-1], sizes, strict=True)
    ]
    rows = np.concatenate([test[kept] for test, kept in zip(tests, positions, strict=True)])
    folds = np.repeat(np.arange(len(tests)), [len(kept) for kept in positions])
    known = rows if groups is None else np.asarray(_safe_indexing(groups, rows))
    units = np.unique(known, return_inverse=True)[1]
    return Entries(positions, rows, folds, targets[rows], units, classes, n <= most)


def _positions(test: Any, n: int) -> NDArray[np.intp]:
    array = np.asarray(test)
    return np.arange(n)[array] if array.dtype == bool else array.astype(np.intp)


class Keeping:
    """An observer that drops the predictions of all but the best candidates."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def __call__(self, event: Event, history: View) -> None:
        """Take an event."""
        if isinstance(event, Told) and event.trial.parent is not None:
            self._study.attachments.pop(_key(event.trial.parent), None)
        kept = attached(self._study)
        if isinstance(event, Told) and len(kept) > CANDIDATES:
            records = self._study.records
            losses = {id: records[id].loss for id in kept}
            worst = max(kept, key=lambda id: (np.inf if (x := losses[id]) is None else x, id))
            del self._study.attachments[_key(worst)]


def attached(study: Study) -> list[int]:
    """The trials whose predictions are kept."""
    return [id for id in study.records if _key(id) in study.attachments]


def _key(id: int) -> str:
    return f"ATTACH::{id}::{PREDICTIONS}"


def answers(study: Study, id: int) -> Answers | None:
    """The kept predictions of the models of a trial's folds, or None."""
    kept = study.attachments.get(_key(id))
    if isinstance(kept, Blob):  # of a journal that this run continued
        kept = study.attachments[_key(id)] = _loaded(kept)
    return kept if isinstance(kept, Answers) else None


def responses(study: Study, id: int, entries: Entries) -> dict[str, NDArray[Any]] | None:
    """The predictions of a candidate's models, {method: (N,) or (N, k)}, with a column for each
    class; None if a fold lacks predictions, or has them for other samples.
    """
    kept = answers(study, id)
    folds = () if kept is None else kept.folds
    if len(folds) != len(entries.positions) or not all(folds):
        return None
    methods = [name for name in folds[0] if name != "classes"]
    told: dict[str, NDArray[Any]] = {}
    for name in methods:
        if not all(name in fold for fold in folds):
            return None
        arrays = [_aligned(fold, name, entries.classes) for fold in folds]
        if sum(map(len, arrays)) != len(entries.rows):
            return None
        if len({array.ndim for array in arrays}) == 1:  # not if some folds have two classes only
            told[name] = np.concatenate(arrays)
    return told


def _loaded(blob: Blob) -> Any:
    try:
        return blob.load()
    except InvalidArgument:  # its file is gone
        return None


def _aligned(fold: Mapping[str, Any], name: str, classes: NDArray[Any] | None) -> NDArray[Any]:
    """Answers with a column for each class, as a fold may lack some."""
    array = np.asarray(fold[name])
    known = fold.get("classes")
    if array.ndim != 2 or classes is None or known is None or array.shape[1] != len(known):
        return array
    wide = np.zeros((len(array), len(classes)), dtype=array.dtype)
    wide[:, np.searchsorted(classes, known)] = array
    return wide
