"""The commands: each one takes its arguments and returns the text for stdout."""

from __future__ import annotations

import csv
import inspect
import json
import logging
import math
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparktune import plots
from sparktune.cli import following, signals
from sparktune.cli.study import load
from sparktune.errors import InvalidArgument, SparktuneError
from sparktune.journal.journal import read
from sparktune.observers.progress import bar_on_stderr, in_terminal
from sparktune.printable import printable
from sparktune.reporting.report import report as write
from sparktune.results import ranking, summary, table
from sparktune.results.cells import error as error_of
from sparktune.results.cells import plain
from sparktune.results.finished import Finished, parameters
from sparktune.results.rungs import rung_table
from sparktune.tracking.observer import MlflowObserver
from sparktune.tracking.observer import track as sent
from sparktune.trials import Trials
from sparktune.tuning import tune

logger = logging.getLogger("sparktune")

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and in full width


class NothingUsable(Exception):
    """A command has no result: no trial has a loss, nothing can be drawn, or MLflow failed."""


def run(options: Namespace) -> str:
    """Run a study, and return a summary of its results.

    Raises:
        InvalidArgument: the study file or the journal cannot be used.
        NothingUsable: no trial has a usable loss.
        KeyboardInterrupt: Ctrl-C; its subclass `Ended` after SIGTERM or SIGHUP.
    """
    with signals.as_interrupts():
        return _run(options)


def _run(options: Namespace) -> str:
    file = load(options.study, options.set)
    if options.resume and not file.journal:
        raise InvalidArgument("--resume needs a journal; add --set journal=PATH")
    if file.journal and not options.resume and read(file.journal):
        raise InvalidArgument(
            f"the journal {file.journal} exists already; add --resume to continue it, or give "
            "another with --set journal=PATH"
        )
    arguments = file.arguments()
    shows = in_terminal() if options.progress is None else options.progress
    try:
        study = tune(**arguments, on=file.platform(), progress=bar_on_stderr if shows else False)
    except Exception as error:
        if isinstance(error, (SparktuneError, OSError)) or not hasattr(error, "study"):
            raise
        raise NothingUsable(f"a trial failed: {type(error).__name__}: {error}") from error
    except KeyboardInterrupt as error:
        hint = "; add --resume to continue" if file.journal else ""
        if isinstance(error, signals.Ended):
            raise signals.Ended(error.number, hint) from None
        raise KeyboardInterrupt(f"interrupted{hint}") from None
    if study.best is None:
        raise NothingUsable(_no_best(study, file.journal))
    return _pairs(summary.summary(study))


def show(options: Namespace) -> str:
    """A summary of a journal, its best trials, and its failures by message. With `--follow`, show
    the run until it has ended, and then the summary.
    """
    if options.follow:
        following.on_screen(options.journal)
    trials = Trials.load(options.journal)
    parts = [_pairs(summary.summary(trials))]
    for title, rows in (
        ("Best trials", table.top_table(trials)),
        ("Budgets", rung_table(trials)),
        ("Trials without a loss", summary.failures(trials)),
    ):
        if len(rows) > 1:
            parts.append(f"{title}\n{_aligned(rows)}")
    return "\n\n".join(parts)


def best(options: Namespace) -> str:
    """The best trial of a journal.

    Raises:
        NothingUsable: no trial has a usable loss.
    """
    trials = Trials.load(options.journal)
    found = ranking.best(trials.records.values())
    if found is None:
        raise NothingUsable(_no_best(trials, None))
    shown = parameters(trials, found)
    if not options.json:
        pairs = [("trial", found.id), ("loss", found.loss), *shown.items()]
        return _aligned([[label, str(value)] for label, value in pairs])
    content = {"trial": found.id, "loss": found.loss, "params": shown, "values": dict(found.values)}
    return json.dumps(_plain(content), indent=2)


def export(options: Namespace) -> str:
    """All trials of a journal as CSV or JSON.

    Raises:
        InvalidArgument: `--safe` is given without `--csv`.
    """
    safe = "safe" in options and options.safe  # other callers may not set it
    if safe and options.json:
        raise InvalidArgument("--safe needs --csv: JSON has no formulas; leave it out")
    trials = Trials.load(options.journal)
    if options.json:
        columns = table.columns(trials)
        rows = zip(*columns.values(), strict=True)
        objects = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        return json.dumps(objects, indent=2)
    if safe:
        return table.csv_text(trials, _quoted, csv.QUOTE_NONNUMERIC)
    return table.csv_text(trials)


def plot(options: Namespace) -> str:
    """Draw all plots that are possible for a journal; return the paths of the files.

    Raises:
        NothingUsable: no plot is possible.
    """
    trials = Trials.load(options.journal)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    name = trials.header.objective if trials.header and trials.header.objective else "study"
    drawn = []
    for kind in plots.__all__:
        draw = getattr(plots, kind)
        try:
            figure = draw(
                {name: trials} if "studies" in inspect.signature(draw).parameters else trials
            )
        except (InvalidArgument, ImportError) as error:
            logger.warning("%s is left out: %s", kind, error)
            continue
        path = folder / f"{kind}.png"
        figure.savefig(path)
        drawn.append(str(path))
    if not drawn:
        raise NothingUsable(f"there is nothing to draw in {options.journal}")
    return "\n".join(drawn)


def report(options: Namespace) -> str:
    """Write one HTML page about the studies of journals; return its path. With `--follow`, update
    the page until all runs have ended.
    """

    test = _losses(options.test) if options.test else None

    def made(studies: Sequence[Finished], running: bool) -> None:
        named = _named(options.journals, studies)
        again = 10 if running else None
        write(named, options.output, test=test, redact=options.redact, refresh=again)

    if options.follow:
        following.on_page(options.journals, made)
    else:
        made([Trials.load(journal) for journal in options.journals], running=False)
    return str(options.output)


def _losses(given: str) -> float | dict[int, float]:
    """A loss from a number, or {id: loss} from a CSV file with columns `id` and `loss`."""
    try:
        return float(given)
    except ValueError:
        pass
    try:
        with open(given, newline="", encoding="utf-8") as file:
            return {int(row["id"]): float(row["loss"]) for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgument(
            f"--test must be a loss of the best trial, or a CSV file with columns id and loss: "
            f"{given!r:.200} is neither ({type(error).__name__}: {error})"
        ) from error


def _named(journals: Sequence[str], studies: Sequence[Finished]) -> dict[str, Finished]:
    """{name: study} with distinct names: the objective, or the file names of several journals."""
    named: dict[str, Finished] = {}
    for journal, study in zip(journals, studies, strict=True):
        stem = study.header.objective if study.header else ""
        name = Path(journal).stem if len(journals) > 1 or not stem else stem
        same = sum(1 for each in named if each == name or each.startswith(f"{name} ("))
        named[f"{name} ({same + 1})" if same else name] = study
    return named


def track(options: Namespace) -> str:
    """Send the trials of a journal that MLflow does not have yet.

    Raises:
        NothingUsable: MLflow could not be reached.
    """
    given = {"experiment": options.experiment, "tracking_uri": options.uri}
    trials = Trials.load(options.journal)
    if not sent(trials, MlflowObserver(**given), journal=options.journal):
        raise NothingUsable("some trials could not be sent to MLflow; try again later")
    return f"MLflow has all {len(trials.records)} trials of {options.journal}"


def _no_best(trials: Finished, journal: str | None) -> str:
    """A message why there is no best trial, in one line."""
    if not trials.records:
        return "there are no trials"
    text = f"no trial has a usable loss ({summary.counts(trials)})"
    failed = next((trial for trial in trials.records.values() if trial.failure), None)
    if failed:
        text += f"; the first failure, of trial {failed.id}: {error_of(failed)}"
    return f"{text}; see: sparktune show {journal}" if journal else text


def _pairs(pairs: dict[str, str]) -> str:
    return _aligned([[key, value] for key, value in pairs.items()])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """The text of a table with aligned columns."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _plain(value: Any) -> Any:
    """A value for JSON: a number that is not finite becomes null, a time becomes a text."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return plain(value)


def _quoted(value: Any) -> Any:
    """A cell that spreadsheets do not evaluate: a text that could be a formula begins with an
    apostrophe, and invisible characters are escaped.
    """
    text = plain(value)
    if not isinstance(text, str):
        return text
    text = printable(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
