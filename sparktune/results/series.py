"""Data of the plots of whole runs: functions from the records of trials to numpy arrays.

Notation, here and in `scales`:

    n       number of trials taken from the records, in the order of their ids
    loss    (n,) NaN where a trial has no finite loss
    status  (n,) index into `sparktune.history.STATUSES`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import InvalidArgument
from sparktune.history import CODES, STATUSES, comparable
from sparktune.results.finished import Finished, labels
from sparktune.results.ranking import explored
from sparktune.trial import Header, Status, Trial

if TYPE_CHECKING:
    from sparktune.space.space import Space

Array: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """The ended trials of one study as columns.

    id       (n,)
    status   (n,)  index into `STATUSES`
    loss     (n,)  NaN where there is no finite loss
    budget   (n,)  in the units of the study's scheduler
    explored (n,)  whether the scheduler asked for the configuration from the priors
    values   {label: (n,)}  NaN where inactive; labels in the order of the study
    space    the search space; None if the trials do not know it
    header   the header of the last run; None if there is none
    """

    id: Whole
    status: Whole
    loss: Array
    budget: Array
    explored: NDArray[np.bool_]
    values: Mapping[str, Array]
    space: Space | None = None
    header: Header | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Mask of the trials with a finite loss."""
        mask: NDArray[np.bool_] = np.isfinite(self.loss)
        return mask

    @property
    def compared(self) -> Array:
        """(n,) the losses that can be compared, NaN elsewhere."""
        return np.where(comparable(self.usable, self.budget, self.explored), self.loss, np.nan)

    @property
    def best(self) -> int:
        """Index of the smallest comparable loss; the first one of equal losses."""
        return int(np.nanargmin(self.compared))


def columns(trials: Finished, *, losses: bool = True) -> Columns:
    """The ended trials as columns.

    Args:
        trials: the trials of one study.
        losses: whether at least one trial must have a finite loss.

    Raises:
        InvalidArgument: there are no trials, none has ended, or none has a finite loss although
            `losses` is true.
    """
    ended = [trial for trial in records(trials) if not trial.status.pending]
    if not ended:
        raise InvalidArgument("nothing to plot: no trial has ended yet")
    found = columns_of(trials, ended)
    if losses and not found.usable.any():
        counts = {status: int(np.sum(found.status == CODES[status])) for status in STATUSES}
        ends = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count)
        raise InvalidArgument(
            f"nothing to plot: none of {len(ended)} trials has a finite loss ({ends})"
        )
    return found


def columns_of(trials: Finished, chosen: Sequence[Trial]) -> Columns:
    """The chosen trials as columns; there may be none, and they may still run."""
    return Columns(
        np.array([trial.id for trial in chosen]),
        np.array([CODES[trial.status] for trial in chosen], dtype=np.int64),
        np.array([_loss(trial) for trial in chosen], dtype=np.float64),
        np.array([trial.budget for trial in chosen], dtype=np.float64),
        explored(chosen),
        {
            label: np.array([float(trial.values.get(label, np.nan)) for trial in chosen])
            for label in labels(trials)
        },
        trials.space,
        trials.header,
    )


def records(trials: Finished) -> list[Trial]:
    """All records, in the order of their ids.

    Raises:
        InvalidArgument: `trials` has no records, or is empty.
    """
    if not hasattr(trials, "records"):
        raise InvalidArgument(
            "trials must be a Study, or the Trials, SparkTrials or ThreadTrials that was given to "
            f"fmin, got {type(trials).__name__}: {trials!r}"
        )
    if not trials.records:
        raise InvalidArgument("nothing to plot: there are no trials yet")
    return [trials.records[id] for id in sorted(trials.records)]


def top(loss: Array) -> float:
    """The upper end of an axis of losses, such that a few huge losses do not flatten the others:
    the largest finite loss, or q90 + 1.5 (q90 - smallest) if that is less, where q90 is the 90 %
    quantile.
    """
    finite = loss[np.isfinite(loss)]
    low, high = float(finite.min()), float(np.quantile(finite, 0.9))
    return (
        min(float(finite.max()), high + 1.5 * (high - low)) if high > low else float(finite.max())
    )


@dataclass(frozen=True, slots=True)
class LossHistory:
    """The loss of each trial, and the best loss so far.

    id      (n,)
    status  (n,)
    loss    (n,)  NaN where there is none
    best    (n,)  the smallest comparable loss so far, NaN before the first one
    """

    id: Whole
    status: Whole
    loss: Array
    best: Array


def loss_history(trials: Finished) -> LossHistory:
    """The losses of the trials, in the order of their ids.

    Raises:
        InvalidArgument: no trial has a finite loss.
    """
    found = columns(trials)
    return LossHistory(found.id, found.status, found.loss, np.fmin.accumulate(found.compared))


@dataclass(frozen=True, slots=True)
class Convergence:
    """The best loss so far after each of n evaluations, over repeated runs of one method.

    name                 of the method
    runs                 number of runs
    median, low, high    (n,)  median and quartiles over the runs; infinite until half of the runs
                               (a quarter for `low`, three quarters for `high`) have a loss
    """

    name: str
    runs: int
    median: Array
    low: Array
    high: Array


def convergence(studies: Mapping[str, Finished | Sequence[Finished]]) -> list[Convergence]:
    """The best loss so far of each method, which is one study or several studies that repeat it.

    Every ended trial counts as an evaluation, including failed ones. Runs of one method are cut to
    the length of the shortest.

    Raises:
        InvalidArgument: `studies` is not a mapping of names to studies, or a study has no finite
            loss.
    """
    if not isinstance(studies, Mapping) or not studies:
        raise InvalidArgument(
            "studies must be a dict {name: trials or list of trials}, such as "
            f"{{'TPE': [first, second], 'random': [third, fourth]}}; got {studies!r}"
        )
    return [_convergence(str(name), given) for name, given in studies.items()]


def _convergence(name: str, given: Any) -> Convergence:
    runs = list(given) if isinstance(given, (list, tuple)) else [given]
    if not runs:
        raise InvalidArgument(f"studies[{name!r}] holds no runs; give at least one Trials")
    best = [np.fmin.accumulate(columns(run).compared) for run in runs]
    shortest = min(map(len, best))
    stacked = np.array([each[:shortest] for each in best])
    stacked[np.isnan(stacked)] = np.inf
    stacked.sort(axis=0)
    low, median, high = (_between(stacked, share) for share in (0.25, 0.5, 0.75))
    return Convergence(name, len(runs), median, low, high)


def _between(ordered: Array, share: float) -> Array:
    """The quantile `share` of each sorted column, with linear interpolation. It supports infinite
    values, for which `numpy.quantile` returns NaN.
    """
    place, part = divmod(share * (len(ordered) - 1), 1)
    quantile: Array = ordered[int(place)]
    return (1 - part) * quantile + part * ordered[int(place) + 1] if part else quantile


@dataclass(frozen=True, slots=True)
class Timeline:
    """The time spans of m trials, and the lane of each.

    id, status, lane    (m,)
    begin, end          (m,)  seconds since the first trial began
    budget              (m,)  in the units of the scheduler
    lanes               number of lanes
    """

    id: Whole
    status: Whole
    lane: Whole
    begin: Array
    end: Array
    budget: Array
    lanes: int

    @property
    def busy(self) -> float:
        """Share of the time of all lanes, from the first start to the last end, used by trials."""
        span = float(self.end.max()) * self.lanes
        return float(np.sum(self.end - self.begin)) / span if span else 1.0


def timeline(trials: Finished) -> Timeline:
    """The time spans of the trials, in the smallest number of lanes without an overlap.

    Records do not contain the slot of a trial: a trial is placed in the lane that became free last
    before it began. For a trial that crashed or timed out only the end is known: it begins when it
    was handed out, or when the next lane became free after that. A trial that is still running
    ends at the latest time in any record. Trials that never got a slot are left out.

    Raises:
        InvalidArgument: no trial has times.
    """
    all_records = records(trials)
    times = [t for r in all_records for t in (r.asked, r.started, r.finished) if t is not None]
    latest = max(times, default=0.0)
    spans = sorted(span for record in all_records if (span := _span(record, latest)))
    free_at: list[float] = []
    placed = []
    for begin, end, known, id in spans:
        lane = _lane(free_at, begin)
        if not known and lane == len(free_at) and free_at:
            lane = int(np.argmin(free_at))
            begin = free_at[lane]
            if begin >= end:
                continue
        free_at[lane : lane + 1] = [end]
        record = trials.records[id]
        placed.append((id, CODES[record.status], lane, begin, end, record.budget))
    if not placed:
        raise InvalidArgument("nothing to plot: no trial has a start and an end")
    id_, status, lanes, begins, ends, budget = map(np.array, zip(*placed, strict=True))
    first = begins.min()
    return Timeline(id_, status, lanes, begins - first, ends - first, budget, len(free_at))


def _span(trial: Trial, latest: float) -> tuple[float, float, bool, int] | None:
    """(start, end, whether the start is known, id) of a trial; None if it has no times."""
    begin = trial.asked if trial.started is None else trial.started
    if begin is None or trial.status is Status.NEW:
        return None
    end = latest if trial.finished is None else trial.finished
    return begin, max(begin, end), trial.started is not None, trial.id


def _lane(free_at: list[float], begin: float) -> int:
    """The lane that became free last before `begin`; a new lane if none is free."""
    free = [(end, -lane) for lane, end in enumerate(free_at) if end <= begin]
    return -max(free)[1] if free else len(free_at)


def _loss(trial: Trial) -> float:
    usable = trial.status is Status.OK and trial.loss is not None and np.isfinite(trial.loss)
    return float(trial.loss) if usable and trial.loss is not None else float("nan")
