"""A study in a few lines, its failures by message, and all of it as HTML."""

from __future__ import annotations

from sparktune.results.cells import number, utc
from sparktune.results.finished import Finished, shown
from sparktune.results.ranking import best
from sparktune.results.table import top_table
from sparktune.trial import Status


def summary(trials: Finished) -> dict[str, str]:
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
    found = best(trials.records.values())
    about["best loss"] = f"{found.loss:.6g} (trial {found.id})" if found else "none"
    if found:
        values = shown(trials, found).items()
        about["best at"] = ", ".join(f"{label}={number(value)}" for label, value in values)
    return about


def line(trials: Finished) -> str:
    """A study in one line."""
    how_many, _, how = counts(trials).partition(": ")
    text = f"{how_many} trial{'s' * (how_many != '1')}" + (how and f": {how}")
    found = best(trials.records.values())
    if found is None:
        return f"{text}; no loss yet" if trials.records else text
    at = summary(trials)["best at"]
    return f"{text}; best loss {number(found.loss)} (trial {found.id}) at {at}"


def counts(trials: Finished) -> str:
    """How many trials there are, and how they stand."""
    ends = [trial.status for trial in trials.records.values()]
    each = [f"{ends.count(status)} {status.value}" for status in Status if status in ends]
    return f"{len(ends)}: {', '.join(each)}" if ends else "0"


def failures(trials: Finished) -> list[list[str]]:
    """Failures as rows of text: how many, how they ended, the trials, and the message of the first.
    Messages that differ in numbers only are one. The first row names the columns.
    """
    from sparktune.results.failures import groups  # here, as it takes arrays for its regions

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
    from html import escape  # here, as its table of entities is not for everybody

    return f"<{tag}>{escape(text)}</{tag}>"
