"""How the candidates of a search are evaluated: what `tune` is given."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparktune.executors.platforms import Parts, Platform
from sparktune.loop import Observer
from sparktune.schedulers import Folds
from sparktune.sklearn.by_time import ByTime
from sparktune.sklearn.fold import Evaluation
from sparktune.sklearn.growing import Growing
from sparktune.sklearn.predictions import Keeping
from sparktune.sklearn.racing import OneByOne
from sparktune.sklearn.rows import merging
from sparktune.sklearn.same_data import check_data
from sparktune.space.space import Space
from sparktune.stopping import Never, Stopper
from sparktune.study import Study
from sparktune.tuning import tune

NEVER = Never()


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a search: the arguments of `tune` that it decides.

    space       where candidates are from
    limit       candidates in all, those of `start` left out; None: no limit
    on          where folds are evaluated
    start       points {label: value} that come first
    stop        when it ends before
    in_order    whether candidates do not depend on the timing
    first       points {label: value} with which the sampler begins, within the limit
    """

    space: Space
    limit: int | None
    on: Platform
    start: Sequence[Mapping[str, Any]] = ()
    stop: Stopper = NEVER
    in_order: bool = False
    first: tuple[Mapping[str, Any], ...] = ()


def groups_of(unit: str, n: int) -> list[list[int]]:
    """The folds of each part of an evaluation: single folds, all folds, or, for "auto", single
    folds and then all.
    """
    each, whole = [[number] for number in range(n)], [[*range(n)]]
    return {"fold": each, "candidate": whole, "auto": each + whole}[unit]


def scheduler_of(racing: bool | str, n: int) -> Folds | None:
    """What lets candidates race on n folds."""
    if not racing or n < 2:
        return None
    return Folds(n) if racing is True else Folds(n, racing)


def run(
    search: Any, plan: Plan, objective: Evaluation | Growing, observers: Sequence[Observer]
) -> None:
    """Evaluate candidates of the study `search.study_`; the search has the options.

    Raises:
        InvalidArgument: the study or the journal has candidates that were scored on other data.
    """
    study: Study = search.study_
    check_data(mark_of(objective), study.records.values(), search.journal)
    merge = merging(search.refit)
    on: Platform = Parts(plan.on, len(objective.groups), merge)
    if isinstance(study.scheduler, Folds):
        on = OneByOne(plan.on, merge, study)
    elif search.unit == "auto" and search.resource is None:
        on = ByTime(plan.on, len(objective.groups) - 1, merge)
    with interruptible(study):
        tune(
            objective,
            plan.space,
            on=on,
            max_trials=plan.limit,
            start=plan.start,
            stop=plan.stop,
            journal=search.journal,
            observers=[*observers, Keeping(study)],
            errors="raise" if isinstance(search.error_score, str) else "record",
            deterministic=plan.in_order,
            progress=search.verbose > 0,
            study=study,
            tracking=search.tracking,
            checkpoints=search.checkpoints,
        )


def mark_of(objective: Evaluation | Growing) -> str:
    """The mark of the data that candidates are evaluated on."""
    evaluation = objective.evaluation if isinstance(objective, Growing) else objective
    return evaluation.data.mark


@contextlib.contextmanager
def interruptible(study: Study) -> Iterator[None]:
    """Within it, Ctrl-C ends the search and keeps its candidates, if there are any."""
    try:
        yield
    except KeyboardInterrupt:
        if study.best is None:
            raise
        warnings.warn(
            f"the search was interrupted; {study.best} is the best of "
            f"{int(study.history.ok.sum())} candidates",
            stacklevel=6,
        )
