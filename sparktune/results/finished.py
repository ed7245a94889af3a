"""What results are made of: a study as it stands, and what the values of its trials mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sparktune.space.space import Space
from sparktune.trial import Header, Scalar, Trial


class Finished(Protocol):
    """What results are made of: trials, and what is known of the run that they are from."""

    @property
    def records(self) -> Mapping[Any, Trial]:
        """The trials by id."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The parameters of the space."""

    @property
    def header(self) -> Header | None:
        """What the last run was about."""

    @property
    def stop_reason(self) -> str | None:
        """Why the last run ended."""

    @property
    def space(self) -> Space | None:
        """The space of the last run in this process."""


@dataclass(frozen=True)
class Snapshot:
    """A study as it was at one moment; later changes of the study do not reach it."""

    records: Mapping[Any, Trial]
    labels: tuple[str, ...]
    header: Header | None
    stop_reason: str | None
    space: Space | None

    @staticmethod
    def of(study: Finished, header: Header | None) -> Snapshot:
        """A study as it stands, in a run that this header describes."""
        return Snapshot(dict(study.records), study.labels, header, None, study.space)


def labels(trials: Finished) -> list[str]:
    """The parameters of the space, and those that only the trials know."""
    seen = dict.fromkeys(trials.labels)
    for trial in trials.records.values():
        seen.update(dict.fromkeys(trial.values))
    return list(seen)


def parameters(trials: Finished, trial: Trial) -> dict[str, Any]:
    """{label: value} of the active parameters, choices as their options as far as they are known;
    options that are not plain values as texts.
    """
    options = trials.header.options if trials.header else {}
    return {label: _option(options.get(label), value) for label, value in trial.values.items()}


def _option(options: Sequence[Any] | None, value: Scalar) -> Any:
    if options is None or not isinstance(value, int) or not 0 <= value < len(options):
        return value
    return options[value]


def shown(trials: Finished, trial: Trial) -> dict[str, Any]:
    """`parameters`, for places where None stands for an inactive one: an option None as a text."""
    found = parameters(trials, trial).items()
    return {label: "None" if value is None else value for label, value in found}
