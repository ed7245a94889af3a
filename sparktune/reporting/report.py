"""`report`, which makes an HTML page of one or several studies."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.reporting.content import Content
from sparktune.reporting.page import page
from sparktune.results.finished import Finished
from sparktune.worker import as_number


@dataclass(frozen=True)
class Report:
    """A page about studies. A notebook shows it if it is the last value of a cell.

    html   the page: one file that loads no other
    """

    html: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file. An existing file is replaced.

        Raises:
            OSError: the file cannot be written.
        """
        Path(path).write_text(self.html, encoding="utf-8", newline="\n")

    def show(self) -> None:
        """Show the page in a notebook, also from the middle of a cell. On Databricks this calls
        `displayHTML`.

        Raises:
            ImportError: there is no IPython.
        """
        if find_spec("IPython") is None:
            raise ImportError(
                "show() needs IPython, which every notebook has; elsewhere save(path) the page and "
                "open it in a browser",
                name="IPython",
            )
        from IPython import get_ipython
        from IPython.display import display

        shell: Any = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
        show: Any = shell and shell.user_ns.get("displayHTML")
        if show:
            show(self.html)
        else:
            display(self)  # type: ignore[no-untyped-call, unused-ignore]

    def _repr_html_(self) -> str:
        """The page in a sandboxed frame, which cannot access the notebook."""
        return (
            '<iframe sandbox="allow-scripts" title="sparktune report" width="100%" height="900" '
            f'style="border:0" srcdoc="{escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Report: {len(self.html.encode()) / 1000:.0f} kB of HTML>"


def report(
    studies: Finished | Mapping[str, Finished | Sequence[Finished]],
    path: str | os.PathLike[str] | None = None,
    *,
    test: float | Mapping[Any, float] | None = None,
    redact: bool = False,
    refresh: int | None = None,
) -> Report:
    """Make one HTML page about a study, or about several studies.

    The page is one file. It needs no server and no network, and can be read without scripts, on
    paper and on a phone. The same trials give the same bytes, as long as the versions of Python and
    of the installed packages that it names are the same. Above 20,000 trials (fewer if there are
    many parameters), charts show all improvements and a part of the other trials, and the page says
    so.

    Args:
        studies: a `Study`; the `Trials` that were given to `fmin`; {name: one of these}; or
            {name: list of these} if several studies repeat a method. Methods are compared by the
            median of their studies, a band between the quartiles, and how often each wins.
        path: the file to write, which is replaced if it exists; None: none.
        test: losses on held-out data, which the search did not use, for one study: the loss of its
            best trial, or {id: loss}. They show whether the search followed noise. None: the
            `test_loss` of the results, if objectives returned one.
        redact: whether to leave out messages, tracebacks and the output of objectives, which may
            contain data.
        refresh: seconds after which the page reloads itself, for a file that is rewritten during a
            run; None: never.

    Raises:
        InvalidArgument: `studies` contains something other than studies, or `test` something other
            than finite losses of trials of the study.
        OSError: the file cannot be written.
    """
    named = _named(studies)
    _check_test(test, named)
    contents = [
        Content(name, study, redact, test, method) for name, (study, method) in named.items()
    ]
    made = Report(page(contents, refresh))
    if path is not None:
        made.save(path)
    return made


def _check_test(test: Any, named: Mapping[str, tuple[Finished, str]]) -> None:
    if test is None:
        return
    if len(named) > 1:
        raise InvalidArgument(
            "test= is for a report about one study; let objectives return test_loss instead"
        )
    ((study, _),) = named.values()
    losses = test if isinstance(test, Mapping) else {None: test}
    for id, loss in losses.items():
        if as_number(loss) is None or isinstance(loss, bool) or not math.isfinite(loss):
            raise InvalidArgument(f"test must be a finite loss, or {{id: loss}}, got {loss!r}")
        if isinstance(test, Mapping) and id not in study.records:
            raise InvalidArgument(f"test has a loss of trial {id!r}, which is not in the study")


def _named(studies: Any) -> dict[str, tuple[Finished, str]]:
    """{name: (study, name of its method)}"""
    if not isinstance(studies, Mapping):
        header = getattr(studies, "header", None)
        studies = {(header.objective if header else "") or "study": studies}
    if not studies:
        raise InvalidArgument("studies is an empty dict; give {name: study}")
    named: dict[str, tuple[Finished, str]] = {}
    for method, given in studies.items():
        several = isinstance(given, (list, tuple))
        if several and not given:
            raise InvalidArgument(f"studies[{method!r}] is an empty list; give at least one study")
        for i, study in enumerate(given if several else [given], 1):
            if not hasattr(study, "records"):
                raise InvalidArgument(
                    "a report is about a Study, the Trials that were given to fmin, {name: one of "
                    f"these}} or {{name: list of these}}; got {type(study).__name__} for {method!r}"
                )
            named[f"{method}, run {i}" if several else str(method)] = study, str(method)
    return named
