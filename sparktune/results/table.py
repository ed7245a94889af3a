"""The trials of a study as columns, as a pandas DataFrame, and the best of them as rows of text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from sparktune.results.cells import duration, error, number, plain, utc
from sparktune.results.finished import Finished, labels, shown
from sparktune.results.packages import require
from sparktune.results.ranking import roots, top
from sparktune.trial import has_budget

TOP = 10
_BEFORE = ("id", "status", "loss")
_BUDGET = ("budget", "configuration", "parent")
_AFTER = ("asked", "started", "finished", "duration", "error")


def columns(trials: Finished) -> dict[str, list[Any]]:
    """{name: values of all trials}. The columns are id, status, loss, one for each parameter, the
    times at which the trial was asked for, started and finished (UTC), the duration in seconds, and
    the error. With a scheduler that gives budgets, the loss is followed by the budget, the id of
    the first trial of the configuration, and the id of its trial at the next smaller budget.

    A parameter that shares its name with another column is called `params.<label>`. An inactive
    parameter is None. A choice is its option (None as the text "None"), or its index if the options
    are unknown.
    """
    records = list(trials.records.values())
    table: dict[str, list[Any]] = {
        "id": [trial.id for trial in records],
        "status": [trial.status.value for trial in records],
        "loss": [trial.loss for trial in records],
    }
    reserved = [*_BEFORE, *_AFTER]
    if any(map(has_budget, records)):
        root = roots(records)
        table["budget"] = [trial.budget for trial in records]
        table["configuration"] = [root[trial.id] for trial in records]
        table["parent"] = [trial.parent for trial in records]
        reserved += _BUDGET
    values_of = [shown(trials, trial) for trial in records]
    for label in labels(trials):
        name = f"params.{label}" if label in reserved else label
        table[name] = [values.get(label) for values in values_of]
    for name in ("asked", "started", "finished"):
        table[name] = [utc(getattr(trial, name)) for trial in records]
    table["duration"] = [duration(trial) for trial in records]
    table["error"] = [error(trial) for trial in records]
    return table


def csv_text(
    trials: Finished, cell: Callable[[Any], Any] = plain, quoting: Any = csv.QUOTE_MINIMAL
) -> str:
    """`columns` as comma-separated values; lines end with line feeds.

    Args:
        trials: the trials of one study.
        cell: function that converts a value or a name before it is written.
        quoting: one of the constants `csv.QUOTE_*`.
    """
    table = columns(trials)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    writer.writerow([cell(name) for name in table])
    writer.writerows([cell(value) for value in row] for row in zip(*table.values(), strict=True))
    return text.getvalue().removesuffix("\n")


def frame(trials: Finished) -> Any:
    """`columns` as a pandas DataFrame; times that pandas cannot represent are missing.

    Raises:
        ImportError: pandas is not installed.
    """
    require("pandas", "to_pandas", "pandas", "pandas")
    import pandas as pd

    table = columns(trials)
    numbers = {"loss", "duration"}
    times = {"asked", "started", "finished"}
    typed = {}
    for name, values in table.items():
        if name in times:
            typed[name] = pd.to_datetime(pd.Series(values, dtype=object), utc=True, errors="coerce")
        else:
            kind = "float64" if name in numbers else _dtype(values)
            typed[name] = pd.Series(values, dtype=kind)
    return pd.DataFrame(typed)


def _dtype(values: list[Any]) -> str:
    """The pandas type that holds these values without a conversion; None is a missing value."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int}:
        return "Int64" if None in values else "int64"
    if kinds == {bool}:
        return "boolean" if None in values else "bool"
    return "float64" if kinds and kinds <= {int, float} else "object"


def top_table(trials: Finished, n: int = TOP) -> list[list[str]]:
    """The n best trials as rows of text; the first row names the columns."""
    chosen, names = top(trials.records.values(), n), labels(trials)
    rows = [["trial", "loss", "seconds", *names]]
    for trial in chosen:
        values = shown(trials, trial)
        cells = [trial.id, trial.loss, *map(values.get, names)]
        took = duration(trial)
        texts = [number(cell) for cell in cells]
        rows.append([*texts[:2], "" if took is None else f"{took:.2f}", *texts[2:]])
    return rows
