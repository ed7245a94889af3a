"""Checks of the options of `tune`, and their conversion to the objects of a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from sparktune.arguments import whole
from sparktune.errors import InvalidArgument
from sparktune.samplers import Sampler
from sparktune.samplers.prior import with_prior
from sparktune.schedulers import FullBudget
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.trial import Scalar

OR_NONE = ", or None for no limit"


def check_kinds(**given: Any) -> None:
    """Raise InvalidArgument for an argument of the wrong type."""
    for name, (holds, wanted) in _KINDS.items():
        if not holds(given[name]):
            raise InvalidArgument(f"{name} must be {wanted}, got {given[name]!r}")


def _has(value: Any, method: str) -> bool:
    return callable(getattr(value, method, None)) and not isinstance(value, type)


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "objective": (callable, "a function of one configuration"),
    "on": (lambda it: _has(it, "open"), "Serial(), Threads(4) or Spark(parallelism=8)"),
    "stop": (
        lambda it: it is None or _has(it, "stop"),
        "a rule of sparktune.stopping, such as Timeout(600) | NoProgress(50), or None",
    ),
    "start": (lambda it: isinstance(it, (list, tuple)), "a list of points {label: value}"),
    "observers": (
        lambda it: isinstance(it, (list, tuple)) and all(map(callable, it)),
        "functions (event, history), in a list",
    ),
    "errors": (lambda it: it in ("record", "raise"), "'record' or 'raise'"),
    "progress": (
        lambda it: isinstance(it, bool) or it == "live" or callable(it),
        "True, False, 'live' or a function (initial, total)",
    ),
    "study": (lambda it: it is None or isinstance(it, Study), "a Study, or None"),
}


def study_of(
    space: Any, sampler: Any, scheduler: Any, seed: int | None, study: Study | None
) -> Study:
    """The study to continue, or a new one.

    Raises:
        InvalidArgument: the study has another space, or the call gives it a sampler or scheduler.
    """
    if study is None:
        study = Study(space, sampler, scheduler, seed)
    elif sampler != "tpe" or scheduler is not None:
        raise InvalidArgument(
            "the study has a sampler and a scheduler of its own; leave out sampler= and "
            "scheduler=, or set study.sampler and study.scheduler"
        )
    elif space is not study.space:
        given = space if isinstance(space, Space) else Space(space)
        if given.fingerprint() != study.space.fingerprint():
            changes = "; ".join(given.differences(study.space.describe()))
            raise InvalidArgument(
                f"the study has another search space ({changes}); give study.space, or start a "
                "new study"
            )
    if not study.space.columns:
        warnings.warn("the space has no hp.* parameter: all trials are equal", stacklevel=3)
    return study


def sampler_of(study: Study, prior: Any, replicate: Any, max_trials: Any) -> Sampler:
    """The study's sampler, with the options `prior` and `replicate` of this run.

    Raises:
        InvalidArgument: an option is invalid, or the sampler has no prior.
    """
    sampler = study.sampler if prior is None else with_prior(study.sampler, study.space, prior)
    again = whole("replicate", replicate, 0)
    if not again:
        return sampler
    if not isinstance(study.scheduler, FullBudget):
        raise InvalidArgument("replicate= and scheduler= cannot be combined; give one of them")
    if max_trials is None or again >= max_trials:
        raise InvalidArgument(
            "replicate= is the number of trials that evaluate the best points again; it must be "
            f"less than max_trials, got replicate={again!r} and max_trials={max_trials!r}"
        )
    from sparktune.samplers.replicate import Replicate  # imported here, because few runs need it

    return Replicate(sampler, max_trials - again)


def point_of(study: Study, i: int, point: Any) -> dict[str, Scalar]:
    try:
        return study.space.check(point)
    except InvalidArgument as error:
        raise InvalidArgument(f"start[{i}]: {error}") from None


def lag_of(deterministic: Any, parallelism: Any, example: str) -> int | None:
    """The number of latest trials whose results a suggestion must ignore; None: as few as possible.

    Args:
        deterministic: whether the trials must not depend on the timing.
        parallelism: the parallelism of the platform.
        example: a valid call with parallelism, for the message.

    Raises:
        InvalidArgument: `deterministic` is not a bool, or is True without a fixed parallelism.
    """
    if not isinstance(deterministic, bool):
        raise InvalidArgument(f"deterministic must be True or False, got {deterministic!r}")
    if not deterministic:
        return None
    if not isinstance(parallelism, int):
        raise InvalidArgument(
            "deterministic=True needs parallelism, because the trials depend on how many run at "
            f"once; give it, as in {example}"
        )
    return parallelism
