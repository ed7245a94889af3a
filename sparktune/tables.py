"""Trials as tables: columns for files and pandas, a summary, the best trials, failures by message.

Functions take `trials`: anything with the attributes of `sparktune.trials.Trials` named in `Study`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import Any, Protocol

from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.space.meaning import evaluated
from sparktune.space.space import Space
from sparktune.trial import Header, Scalar, Status, Trial

TOP = 10
_BEFORE = ("id", "status", "loss")
_AFTER = ("asked", "started", "finished", "duration", "error")


class Study(Protocol):
    """What a table is made of."""

    @property
    def records(self) -> Mapping[Any, Trial]:
        """The trials by id."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The parameters of the space."""

    @property
    def header(self) -> Header | None:
        """What the last run was about."""

    @property
    def stop_reason(self) -> str | None:
        """Why the last run ended."""

    @property
    def space(self) -> Space | None:
        """The space of the last run in this process."""


def columns(trials: Study) -> dict[str, list[Any]]:
    """{name: a value for each trial}: id, status, loss, a column for each parameter, when the trial
    was asked for, started and finished (UTC), how many seconds it took, and its error.

    A parameter that shares its name with another column is called `params.<label>`. Where a
    parameter is inactive stands None; a choice is shown as its option (None as the text "None"),
    or as its index where the options are not known.
    """
    records = list(trials.records.values())
    table: dict[str, list[Any]] = {
        "id": [trial.id for trial in records],
        "status": [trial.status.value for trial in records],
        "loss": [trial.loss for trial in records],
    }
    shown = [_shown(trials, trial) for trial in records]
    for label in labels(trials):
        name = f"params.{label}" if label in (*_BEFORE, *_AFTER) else label
        table[name] = [values.get(label) for values in shown]
    for name in ("asked", "started", "finished"):
        table[name] = [utc(getattr(trial, name)) for trial in records]
    table["duration"] = [duration(trial) for trial in records]
    table["error"] = [error(trial) for trial in records]
    return table


def labels(trials: Study) -> list[str]:
    """The parameters of the space, and those that only the trials know."""
    seen = dict.fromkeys(trials.labels)
    for trial in trials.records.values():
        seen.update(dict.fromkeys(trial.values))
    return list(seen)


def parameters(trials: Study, trial: Trial) -> dict[str, Any]:
    """{label: value} of the active parameters, choices as their options as far as they are known;
    options that are no plain values as texts.
    """
    options = trials.header.options if trials.header else {}
    return {label: _option(options.get(label), value) for label, value in trial.values.items()}


def _shown(trials: Study, trial: Trial) -> dict[str, Any]:
    """`parameters`, for places where None stands for an inactive one: an option None as a text."""
    found = parameters(trials, trial).items()
    return {label: "None" if value is None else value for label, value in found}


def _option(options: Sequence[Any] | None, value: Scalar) -> Any:
    if options is None or not isinstance(value, int) or not 0 <= value < len(options):
        return value
    return options[value]


def duration(trial: Trial) -> float | None:
    """Seconds from start to end, if both are known."""
    if trial.started is None or trial.finished is None:
        return None
    return trial.finished - trial.started


def error(trial: Trial) -> str | None:
    """One line about why a trial has no loss."""
    if trial.failure is None:
        return None
    message = " ".join(trial.failure.message.split())
    return f"{trial.failure.type}: {message}" if message else trial.failure.type


def utc(seconds: float | None) -> datetime | None:
    """Seconds since the epoch as a time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def frame(trials: Study) -> Any:
    """`columns` as a pandas DataFrame.

    Raises:
        ImportError: there is no pandas.
    """
    try:
        import pandas as pd
    except ImportError as missing:
        raise ImportError(
            "to_pandas needs pandas; install it with: pip install 'sparktune[pandas]'",
            name="pandas",
        ) from missing
    table = columns(trials)
    numbers = {"loss", "duration"}
    times = {"asked", "started", "finished"}
    typed = {}
    for name, values in table.items():
        if name in times:
            typed[name] = pd.to_datetime(pd.Series(values, dtype=object), utc=True)
        else:
            kind = "float64" if name in numbers else _dtype(values)
            typed[name] = pd.Series(values, dtype=kind)
    return pd.DataFrame(typed)


def _dtype(values: list[Any]) -> str:
    """The pandas type that holds these values as they are; None is a missing one."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int}:
        return "Int64" if None in values else "int64"
    if kinds == {bool}:
        return "boolean" if None in values else "bool"
    return "float64" if kinds and kinds <= {int, float} else "object"


def best(trials: Study) -> Trial | None:
    """The trial with the smallest loss, the earliest of equals."""
    return next(iter(top(trials, 1)), None)


def top(trials: Study, n: int = TOP) -> list[Trial]:
    """The n trials with the smallest losses, best first."""
    ok = [trial for trial in trials.records.values() if trial.status is Status.OK]
    return sorted(ok, key=lambda trial: (trial.loss, trial.id))[:n]


def best_params(trials: Study) -> dict[str, Any]:
    """The values of the best trial as the objective received them.

    Raises:
        AllTrialsFailed: there is none.
        InvalidArgument: the space is not known.
    """
    found = best(trials)
    if found is None:
        raise AllTrialsFailed("no trial has a usable loss, so there are no best parameters")
    if trials.space is None:
        raise InvalidArgument(
            "best_params: these trials do not know their search space, as they were loaded or have "
            "not been used by fmin; call space_eval(space, trials.argmin), or fmin again"
        )
    return evaluated(trials.space, found.values)


def summary(trials: Study) -> dict[str, str]:
    """{what: text} about a study, for people."""
    about: dict[str, str] = {}
    if trials.header and trials.header.objective:
        about["objective"] = trials.header.objective
    about["trials"] = counts(trials)
    if trials.header and trials.header.created:
        about["begun"] = f"{utc(trials.header.created):%Y-%m-%d %H:%M:%S} UTC"
    about["ended"] = trials.stop_reason or "not yet, or cut off"
    if trials.header:
        about["seed"] = str(trials.header.seed)
    found = best(trials)
    about["best loss"] = f"{found.loss:.6g} (trial {found.id})" if found else "none"
    if found:
        shown = _shown(trials, found).items()
        about["best at"] = ", ".join(f"{label}={number(value)}" for label, value in shown)
    return about


def counts(trials: Study) -> str:
    """How many trials there are, and how they stand."""
    ends = [trial.status for trial in trials.records.values()]
    each = [f"{ends.count(status)} {status.value}" for status in Status if status in ends]
    return f"{len(ends)}: {', '.join(each)}" if ends else "0"


def top_table(trials: Study, n: int = TOP) -> list[list[str]]:
    """The n best trials as rows of text, the first one naming the columns."""
    chosen, names = top(trials, n), labels(trials)
    rows = [["trial", "loss", "seconds", *names]]
    for trial in chosen:
        values = _shown(trials, trial)
        cells = [trial.id, trial.loss, *map(values.get, names)]
        took = duration(trial)
        texts = [number(cell) for cell in cells]
        rows.append([*texts[:2], "" if took is None else f"{took:.2f}", *texts[2:]])
    return rows


def number(value: Any) -> str:
    """A cell for people: six digits of a float, nothing for None."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def failures(trials: Study) -> list[list[str]]:
    """Failures as rows of text: how many, how they ended, the trials, and the message of the first.
    Messages that differ in numbers only are one. The first row names the columns.
    """
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials.records.values():
        if trial.status is not Status.OK and not trial.status.pending:
            message = re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "#", error(trial) or "")
            groups.setdefault((trial.status.value, message), []).append(trial)
    rows = [["count", "status", "trials", "message"]]
    for (status, _), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        ids = [str(trial.id) for trial in group[:5]] + ["..."] * (len(group) > 5)
        rows.append([str(len(group)), status, ", ".join(ids), error(group[0]) or ""])
    return rows


def html(trials: Study) -> str:
    """A summary and the best trials as HTML, for notebooks."""
    pairs = [f"<tr>{_cell('th', k)}{_cell('td', v)}</tr>" for k, v in summary(trials).items()]
    names, *rows = top_table(trials)
    parts = [f"<table>{''.join(pairs)}</table>"]
    if rows:
        head = "".join(_cell("th", name) for name in names)
        body = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in rows)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return f"<div>{''.join(parts)}</div>"


def _cell(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"
