"""A summary of a study in one line, in a few lines and as HTML, and a table of its failures."""

from __future__ import annotations

from itertools import islice

from sparktune.results.cells import number, utc
from sparktune.results.finished import Finished, shown
from sparktune.results.ranking import best
from sparktune.results.table import top_table
from sparktune.trial import Status, Trial

_MOST = 20
"""Largest number of parameters in one line."""


def summary(trials: Finished) -> dict[str, str]:
    """{title: text} of the main facts about a study."""
    about: dict[str, str] = {}
    if trials.header and trials.header.objective:
        about["objective"] = trials.header.objective
    about["trials"] = counts(trials)
    if trials.header and trials.header.created:
        about["begun"] = f"{utc(trials.header.created):%Y-%m-%d %H:%M:%S} UTC"
    about["ended"] = trials.stop_reason or "not yet, or cut off"
    if trials.header:
        about["seed"] = str(trials.header.seed)
    found = best(trials.records.values())
    about["best loss"] = f"{found.loss:.6g} (trial {found.id})" if found else "none"
    if found:
        about["best at"] = _point(trials, found)
    return about


def line(trials: Finished) -> str:
    """A summary of a study in one line."""
    how_many, _, how = counts(trials).partition(": ")
    text = f"{how_many} trial{'s' * (how_many != '1')}" + (how and f": {how}")
    found = best(trials.records.values())
    if found is None:
        return f"{text}; no loss yet" if trials.records else text
    where = f"best loss {number(found.loss)} (trial {found.id}) at {_point(trials, found, _MOST)}"
    return f"{text}; {where}"


def _point(trials: Finished, trial: Trial, most: int | None = None) -> str:
    """The first `most` parameters of a trial as a text; None: all."""
    values = shown(trials, trial)
    parts = [f"{label}={number(value)}" for label, value in islice(values.items(), most)]
    more = len(values) - len(parts)
    return ", ".join(parts) + (f" and {more} more" if more else "")


def counts(trials: Finished) -> str:
    """The number of trials, and the number with each status, as a text."""
    ends = [trial.status for trial in trials.records.values()]
    each = [f"{ends.count(status)} {status.value}" for status in Status if status in ends]
    return f"{len(ends)}: {', '.join(each)}" if ends else "0"


def failures(trials: Finished) -> list[list[str]]:
    """The groups of failed trials as rows of text: number of trials, status, ids, and the message
    of the first trial. The first row names the columns.
    """
    from sparktune.results.failures import groups  # imported here, because it imports numpy

    rows = [["count", "status", "trials", "message"]]
    for group in groups(trials):
        ids = [str(trial.id) for trial in group.trials[:5]] + ["..."] * (len(group.trials) > 5)
        rows.append([str(len(group.trials)), group.status.value, ", ".join(ids), group.message])
    return rows


def html(trials: Finished) -> str:
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
    from html import escape  # imported here, because its table of entities is large

    return f"<{tag}>{escape(text)}</{tag}>"
