"""Whether the candidates that a search continues were scored on the data that it has now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import joblib
import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.events import Told
from sparktune.journal.journal import first
from sparktune.sklearn.rows import DATA
from sparktune.trial import Trial


def fingerprint(X: Any, y: Any) -> str:
    """A text that differs for data with other values, 32 characters long; "" for data that cannot
    be pickled.
    """
    try:
        return str(joblib.hash([_values(X), _values(y)]))
    except Exception:  # of a data type of the user's
        return ""


def _values(data: Any) -> Any:
    """Data without what may differ while the values are the same: strides, blocks of a table, the
    types of texts.
    """
    if hasattr(data, "columns"):
        columns = data.items() if hasattr(data, "items") else zip(data.columns, data, strict=True)
        return [[str(name), _values(column)] for name, column in columns]
    if hasattr(data, "tocsr"):
        rows = data.tocsr()
        return [rows.shape, rows.data, rows.indices, rows.indptr]
    array = np.asarray(data)
    return (
        array.astype(object).tolist() if array.dtype.kind in "OUT" else np.array(array, order="C")
    )


def check_data(mark: str, trials: Iterable[Trial], journal: Any) -> None:
    """Refuse to continue candidates that were scored on other data.

    Args:
        mark: the fingerprint of the data.
        trials: those that the search continues.
        journal: path of the journal that the search continues, or None.

    Raises:
        InvalidArgument: they have another fingerprint.
    """
    marks = [_mark(trial) for trial in trials]
    if journal is not None:  # of which every run has checked that its data is that of the first
        began = first(journal, lambda event: isinstance(event, Told) and _mark(event.trial) != "")
        marks += [_mark(began.trial)] if isinstance(began, Told) else []
    if mark and any(each not in ("", mark) for each in marks):
        where = "warm_start=True" if journal is None else f"the journal {journal}"
        raise InvalidArgument(
            f"{where} continues candidates that were scored on other data, and scores on different "
            "data cannot be compared; give the same X and y, or start over with "
            f"{'warm_start=False' if journal is None else 'another path'}"
        )


def _mark(trial: Trial) -> str:
    return str((trial.result or {}).get(DATA, ""))
