"""How a study is shown to people: its best parameters, a table, a summary in a notebook or one
line.
"""

from __future__ import annotations

from typing import Any

from sparktune.results import ranking, summary, table
from sparktune.results.finished import Finished


class Shown:
    """The methods of everything `Finished` that people look at."""

    @property
    def best_params(self: Finished) -> dict[str, Any]:
        """{label: value} of the best trial as the objective received it: choices as their options,
        numbers of the space's types; active parameters only.

        Raises:
            AllTrialsFailed: no trial has a usable loss.
            InvalidArgument: the trials were loaded, and do not know the space; see `space_eval`.
        """
        return ranking.best_params(self)

    def to_pandas(self: Finished) -> Any:
        """A pandas DataFrame with a row for each trial: id, status, loss, a column for each
        parameter (missing where inactive, choices as their options), asked, started and finished
        (UTC), duration in seconds, error.

        A parameter named like one of these is in the column `params.<label>`.

        Raises:
            ImportError: there is no pandas.
        """
        return table.frame(self)

    def _repr_html_(self: Finished) -> str:
        """What a notebook shows."""
        return summary.html(self)

    def __repr__(self: Finished) -> str:
        return f"<{type(self).__name__}: {summary.line(self)}>"
