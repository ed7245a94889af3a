"""What executors evaluate: an objective, and the way from a trial to its argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparktune import worker
from sparktune.trial import Trial


@dataclass(frozen=True, slots=True)
class Task:
    """`objective` is called with `configure(trial)`; `name` is the study's name for people; `heavy`
    says that arguments are known to be large.
    """

    objective: Callable[..., Any]
    configure: Callable[[Trial], Any]
    name: str = "objective"
    heavy: bool = False

    def evaluate(self, trial: Trial) -> dict[str, Any]:
        """Evaluate a trial in this thread and return the worker's report."""
        started = time.time()
        try:
            config = self.configure(trial)
        except Exception as error:
            return worker.failed(error) | {"started": started, "finished": time.time()}
        return worker.evaluate(self.objective, config)

    def describe(self, trial: Trial) -> str:
        """One line that names the study, the trial and its parameters."""
        values = ", ".join(
            f"{label}={value:.6g}" if isinstance(value, float) else f"{label}={value}"
            for label, value in trial.values.items()
        )
        text = f"{self.name} trial {trial.id}: {values}"
        return text if len(text) <= 300 else text[:297] + "..."
