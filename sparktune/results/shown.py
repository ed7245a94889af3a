"""Methods that show the results of a study: best parameters, a table, a summary for notebooks and
one for terminals.
"""

from __future__ import annotations

from typing import Any

from sparktune.results import ranking, summary, table
from sparktune.results.finished import Finished


class Shown:
    """Base class with the methods that show results; subclasses implement `Finished`."""

    @property
    def best_params(self: Finished) -> dict[str, Any]:
        """{label: value} of the active parameters of the best trial, with values as the objective
        received them: a choice as its option, a number in the type of the space.

        Raises:
            AllTrialsFailed: no trial has a usable loss.
            InvalidArgument: the trials were loaded and do not know the space; use `space_eval`.
        """
        return ranking.best_params(self)

    def to_pandas(self: Finished) -> Any:
        """A pandas DataFrame with a row for each trial. Its columns are id, status, loss, one
        column for each parameter (missing where inactive; a choice as its option), asked, started
        and finished (UTC), duration in seconds, and error.

        A parameter whose label is one of these names has the column `params.<label>`.

        Raises:
            ImportError: pandas is not installed.
        """
        return table.frame(self)

    def _repr_html_(self: Finished) -> str:
        """A summary of the study and its best trials, as HTML for notebooks."""
        return summary.html(self)

    def __repr__(self: Finished) -> str:
        return f"<{type(self).__name__}: {summary.line(self)}>"
