"""What executors evaluate: an objective, and the way from a trial to its argument."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sparktune import worker
from sparktune.trial import Trial


def _whole(trial: Trial, report: dict[str, Any]) -> dict[str, Any]:
    return report


@dataclass(frozen=True, slots=True)
class Task:
    """`objective` is called with `configure(trial)`; `name` is the study's name for people; `heavy`
    says that arguments are known to be large. `keep` is called with a trial and a worker's report
    on it, in the thread that has the report, and gives what stays of the report.
    """

    objective: Callable[..., Any]
    configure: Callable[[Trial], Any]
    name: str = "objective"
    heavy: bool = False
    keep: Callable[[Trial, dict[str, Any]], dict[str, Any]] = _whole

    def evaluate(self, trial: Trial) -> dict[str, Any]:
        """Evaluate a trial in this thread and return the worker's report."""
        started = time.time()
        try:
            config = self.configure(trial)
        except Exception as error:
            return worker.failed(error) | {"started": started, "finished": time.time()}
        return self.keep(trial, worker.evaluate(self.objective, config))

    def describe(self, trial: Trial, *others: Trial) -> str:
        """One line that names the study and the trial with its parameters, or several trials."""
        if others:
            ids = ", ".join(_ranges([trial.id, *(other.id for other in others)]))
            return _short(f"{self.name} trials {ids}")
        values = ", ".join(
            f"{label}={value:.6g}" if isinstance(value, float) else f"{label}={value}"
            for label, value in trial.values.items()
        )
        return _short(f"{self.name} trial {trial.id}: {values}")


def _ranges(ids: Sequence[int]) -> list[str]:
    """Numbers as text, those that follow each other as "17-24"."""
    ranges: list[list[int]] = []
    for id in ids:
        if ranges and ranges[-1][-1] == id - 1:
            ranges[-1].append(id)
        else:
            ranges.append([id])
    return [f"{each[0]}-{each[-1]}" if len(each) > 1 else f"{each[0]}" for each in ranges]


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."
