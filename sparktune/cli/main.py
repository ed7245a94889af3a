"""Arguments, exit codes and errors of the command.

0    success
1    the run failed, or no trial has a usable loss
2    an argument, the study file or the journal is invalid
129  SIGHUP during a run
130  Ctrl-C
141  the reader of the output closed it
143  SIGTERM during a run
"""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, TextIO

from sparktune.cli import commands
from sparktune.cli.signals import Ended
from sparktune.errors import (
    BadSearchSpace,
    InvalidAnnotatedParameter,
    InvalidArgument,
    SparktuneError,
)
from sparktune.printable import printable

_WRONG_INPUT = (InvalidArgument, BadSearchSpace, InvalidAnnotatedParameter)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code.

    Args:
        arguments: the arguments of the command; None: those of this process.

    Raises:
        SystemExit: the arguments are invalid, or ask for help.
    """
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # for characters the terminal lacks
    try:
        text = options.command(options)
    except Ended as error:
        return _failed(error, 128 + error.number)
    except KeyboardInterrupt as error:
        return _failed(str(error) or "interrupted", 130)
    except _WRONG_INPUT as error:
        return _failed(error, 2)
    except (SparktuneError, commands.NothingUsable, ImportError, OSError) as error:
        return _failed(error, 1)
    return _printed(text)


def _failed(error: object, code: int) -> int:
    text = printable(" ".join(str(error).split()))
    if sys.stderr is not None:  # it is None if it was closed before Python started
        try:
            print(f"sparktune: {text}", file=sys.stderr, flush=True)
        except OSError:
            _discard(sys.stderr)
    return code


def _printed(text: str) -> int:
    if sys.stdout is None:
        return _failed("the output cannot be written: stdout is closed", 1)
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _discard(sys.stdout)
        return 141
    except OSError as error:
        _discard(sys.stdout)
        return _failed(f"the output cannot be written: {error.strerror}", 1)
    return 0


def _discard(stream: TextIO) -> None:
    """Redirect a stream that cannot be written to the null device. Otherwise Python reports the
    error again at exit.
    """
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("sparktune", description="Hyperparameter tuning on Apache Spark.")
    parser.add_argument("--version", action="version", version="sparktune " + version("sparktune"))
    commands_ = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(does: Callable[..., Any], text: str) -> ArgumentParser:
        added = commands_.add_parser(
            does.__name__, help=text, description=f"{text[0].upper()}{text[1:]}."
        )
        added.set_defaults(command=does)
        return added

    run = command(commands.run, "run a study")
    run.add_argument("study", metavar="STUDY.toml", help="the study file")
    run.add_argument(
        "--resume",
        action="store_true",
        help="continue the journal, or create it if it does not exist",
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of the study file, as in budget.max_evals=50; may be repeated",
    )
    run.add_argument(
        "--progress",
        action=BooleanOptionalAction,
        help="show a progress bar (default: if stderr is a terminal)",
    )
    show = command(commands.show, "show a summary, the best trials and the failures of a journal")
    plot = command(commands.plot, "draw the trials of a journal as PNG files")
    export = command(commands.export, "write all trials of a journal to stdout")
    best = command(commands.best, "show the best trial of a journal")
    track = command(commands.track, "send the trials of a journal that MLflow does not have yet")
    track.add_argument("--experiment", metavar="NAME", help="created if it does not exist")
    track.add_argument("--uri", metavar="URI", help="of the tracking server")
    for each in (show, plot, export, best, track):
        each.add_argument("journal", metavar="JOURNAL", help="path or URL of the journal")
    plot.add_argument("-o", "--output", required=True, metavar="DIR", help="folder of the files")
    report = command(commands.report, "write an HTML page about one journal, or several")
    _add_arguments_of_report(report)
    for each, what in ((show, "the screen"), (report, "the page")):
        each.add_argument(
            "--follow", action="store_true", help=f"update {what} until the run has ended"
        )
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument(
        "--csv",
        action="store_true",
        help="as comma-separated values; texts are raw, so a spreadsheet may evaluate a text that "
        "begins with = + - @ as a formula",
    )
    form.add_argument("--json", action="store_true", help="as a list of JSON objects")
    export.add_argument(
        "--safe",
        action="store_true",
        help="with --csv: put an apostrophe before texts that could be formulas and escape control "
        "characters, for data that you do not trust",
    )
    best.add_argument("--json", action="store_true", help="as a JSON object")
    return parser


def _add_arguments_of_report(report: ArgumentParser) -> None:
    report.add_argument("journals", nargs="+", metavar="JOURNAL", help="path or URL of a journal")
    report.add_argument("-o", "--output", required=True, metavar="FILE.html", help="the page")
    report.add_argument(
        "--test",
        metavar="LOSS|FILE.csv",
        help="loss of the best trial on held-out data, or a table of such losses with columns id "
        "and loss",
    )
    report.add_argument(
        "--redact",
        action="store_true",
        help="leave out messages, tracebacks and the output of objectives",
    )
