"""The values of one study that the sections and scripts of a page use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.history import STATUSES
from sparktune.reporting.encoding import lines, packed, visible
from sparktune.results import corrected, failures, importance, noise, ranking, scales, series
from sparktune.results.corrected import Corrected, HeldOut
from sparktune.results.failures import Group, Region
from sparktune.results.finished import Finished, labels
from sparktune.results.importance import Importance
from sparktune.results.noise import Noise
from sparktune.results.scales import Scale
from sparktune.results.series import Array, Columns, Timeline, Whole
from sparktune.trial import Trial

POINTS = 20_000  # largest number of trials of one study in a page
_CELLS = 600_000  # largest number of parameter values of one study in a page
_EXACT = 20_000  # with more parameter values than this, they are stored as singles


@dataclass(frozen=True)
class Content:
    """One study and the values that several sections use. Each is computed once."""

    name: str
    study: Finished
    redact: bool = False
    test: float | Mapping[Any, float] | None = None
    method: str = ""  # the name that this study shares with others that repeat the method

    @cached_property
    def records(self) -> list[Trial]:
        """All trials, by id."""
        return sorted(self.study.records.values(), key=lambda trial: trial.id)

    @cached_property
    def columns(self) -> Columns:
        """All trials as columns."""
        return series.columns_of(self.study, self.records)

    @cached_property
    def best(self) -> Trial | None:
        """The best trial."""
        found = ranking.best(self.records)
        return found if found and found.loss is not None and np.isfinite(found.loss) else None

    @cached_property
    def staircase(self) -> Array:
        """(n,) the best loss so far, NaN before the first."""
        loss = self.columns.loss
        best: Array = np.fmin.accumulate(loss) if len(loss) else loss
        return best

    @cached_property
    def noise(self) -> Noise | None:
        """The standard error of the best loss; None if unknown."""
        return noise.noise(self.study)

    @cached_property
    def corrected(self) -> Corrected | None:
        """The best loss, corrected for the choice of the smallest; None if unknown."""
        return corrected.corrected(self.study)

    @cached_property
    def held_out(self) -> HeldOut | None:
        """Losses on held-out data; None if there are none."""
        return corrected.held_out(self.study, self.test)

    @cached_property
    def groups(self) -> list[Group]:
        """Failures by cause."""
        return failures.groups(self.study)

    @cached_property
    def region(self) -> Region | None:
        """The part of the space where most trials fail; None if there is none."""
        return failures.where(self.study, self.by_label)

    @cached_property
    def timeline(self) -> Timeline | None:
        """When trials ran; None if that is unknown."""
        try:
            return series.timeline(self.study)
        except InvalidArgument:
            return None

    @cached_property
    def by_label(self) -> list[Scale]:
        """The scales of the parameters in the order of the space."""
        if not any(np.isfinite(column).any() for column in self.columns.values.values()):
            return []
        return scales.scales([self.columns])

    @cached_property
    def importance(self) -> Importance | str:
        """The importance of each parameter, or the reason why it cannot be computed."""
        try:
            if not self.by_label:
                return "importance cannot be computed: there are no parameters"
            units = scales.units(self.columns, self.by_label)
            return importance.importance(units, self.columns.loss[self.columns.usable])
        except (InvalidArgument, ImportError) as error:
            return str(error)

    @cached_property
    def by_importance(self) -> list[Scale]:
        """The scales, the most important parameter first if the importance is known."""
        if isinstance(self.importance, str):
            return self.by_label
        order = {label: i for i, label in enumerate(self.importance.labels)}
        return sorted(self.by_label, key=lambda scale: order.get(scale.label, len(order)))

    @cached_property
    def shown(self) -> Whole:
        """The rows that the page contains. If there are too many trials, it contains all
        improvements, then failures, then an even sample of the rest.
        """
        n, d = len(self.records), len(labels(self.study))
        most = max(min(POINTS, _CELLS // max(d, 1)), 1000)
        if n <= most:
            return np.arange(n)
        before = np.append(np.inf, np.nan_to_num(self.staircase[:-1], nan=np.inf))
        keep = self.staircase < before
        if self.best is not None:
            keep[self.records.index(self.best)] = True
        failed = np.flatnonzero(~self.columns.usable)
        keep[_some(failed, most // 2)] = True
        rest = np.flatnonzero(~keep)
        keep[_some(rest, most - int(keep.sum()))] = True
        return np.flatnonzero(keep)

    def data(self) -> dict[str, Any]:
        """The data of the scripts."""
        rows, columns = self.shown, self.columns
        kind = "f8" if len(rows) * len(self.by_label) <= _EXACT else "f4"
        ids = [trial.id for trial in self.records]
        return {
            "name": visible(self.name),
            "statuses": [status.value for status in STATUSES],
            "id": _ids([ids[i] for i in rows]),
            "status": packed(columns.status[rows], "i2"),
            "loss": packed(columns.loss[rows]),
            "best": None if self.best is None else int(_place(rows, ids.index(self.best.id))),
            "cut": series.top(columns.loss) if columns.usable.any() else None,
            "error": None if self.noise is None else self.noise.error,
            "parameters": [
                {
                    "label": visible(scale.label),
                    "log": scale.log,
                    "whole": scale.whole,
                    "options": [visible(option) for option in scale.options],
                    "value": packed(columns.values[scale.label][rows], kind),
                }
                for scale in self.by_importance
            ],
            **self._times(ids, rows, kind),
            **self._texts(ids, rows),
        }

    def _times(self, ids: Sequence[Any], rows: Whole, kind: str) -> dict[str, Any]:
        """Begin and end of each row in seconds since the first begin, NaN if unknown, and its lane,
        -1 if it has none.
        """
        table = np.full((3, len(ids)), np.nan)
        line = self.timeline
        if line is not None:
            place = {id: i for i, id in enumerate(ids)}
            at = [place[id] for id in line.id.tolist()]
            table[:, at] = line.begin, line.end, line.lane
        begin, end, lane = table[:, rows]
        return {
            "begin": packed(begin, kind),
            "end": packed(end, kind),
            "lane": packed(np.nan_to_num(lane, nan=-1.0), "i2"),
            "lanes": 0 if line is None else line.lanes,
        }

    def _texts(self, ids: Sequence[Any], rows: Whole) -> dict[str, Any]:
        """The cause of each row, a message for each cause, and the last output of some trials."""
        cause = {t.id: i for i, group in enumerate(self.groups) for t in group.trials}
        messages = [visible(group.message)[:500] for group in self.groups]
        logs = {}
        told = [*([self.best] if self.best else []), *(g.trials[0] for g in self.groups[:50])]
        for trial in () if self.redact else told:
            if trial.log:
                logs[str(visible(trial.id))] = lines("\n".join(trial.log.splitlines()[-20:]))
        return {
            "cause": packed(np.array([cause.get(ids[i], -1) for i in rows], np.int64), "i2"),
            "messages": [] if self.redact else messages,
            "logs": logs,
        }


def _some(rows: Whole, most: int) -> Whole:
    """At most `most` of these rows, evenly spaced."""
    if len(rows) <= most:
        return rows
    picked: Whole = rows[np.linspace(0, len(rows) - 1, max(most, 0)).astype(np.int64)]
    return picked


def _ids(ids: list[Any]) -> Any:
    """The ids, or only their number if they are 0, 1, 2, ..."""
    if ids == [*range(len(ids))]:
        return len(ids)
    return [id if isinstance(id, int) else visible(id) for id in ids]


def _place(rows: Whole, row: int) -> int:
    return int(np.searchsorted(rows, row))
