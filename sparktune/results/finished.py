"""The input of all results: a study as it stands, and the options that its values stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sparktune.space.space import Space
from sparktune.trial import Header, Scalar, Trial


class Finished(Protocol):
    """The input of all results: the trials of a study, and what is known about its last run."""

    @property
    def records(self) -> Mapping[Any, Trial]:
        """{id: Trial} of all trials."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the parameters of the space."""

    @property
    def header(self) -> Header | None:
        """The header of the last run; None if there is none."""

    @property
    def stop_reason(self) -> str | None:
        """The reason why the last run ended; None if it has not ended or none is recorded."""

    @property
    def space(self) -> Space | None:
        """The search space; None if this process does not know it."""


@dataclass(frozen=True)
class Snapshot:
    """A copy of a study at one moment, which later changes of the study do not affect."""

    records: Mapping[Any, Trial]
    labels: tuple[str, ...]
    header: Header | None
    stop_reason: str | None
    space: Space | None

    @staticmethod
    def of(study: Finished, header: Header | None) -> Snapshot:
        """A snapshot of a study during the run that `header` describes."""
        return Snapshot(dict(study.records), study.labels, header, None, study.space)


def labels(trials: Finished) -> list[str]:
    """The labels of the space, followed by labels that only occur in trials."""
    seen = dict.fromkeys(trials.labels)
    for trial in trials.records.values():
        seen.update(dict.fromkeys(trial.values))
    return list(seen)


def parameters(trials: Finished, trial: Trial) -> dict[str, Any]:
    """{label: value} of the active parameters of a trial. A choice has its option as the value, or
    its index if the options are unknown; options that are not plain values are texts.
    """
    options = trials.header.options if trials.header else {}
    return {label: _option(options.get(label), value) for label, value in trial.values.items()}


def _option(options: Sequence[Any] | None, value: Scalar) -> Any:
    if options is None or not isinstance(value, int) or not 0 <= value < len(options):
        return value
    return options[value]


def shown(trials: Finished, trial: Trial) -> dict[str, Any]:
    """`parameters` with the text "None" for the option None, for tables where None is inactive."""
    found = parameters(trials, trial).items()
    return {label: "None" if value is None else value for label, value in found}
