"""What a scheduler is, and what it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sparktune.history import View


@dataclass(frozen=True, slots=True)
class New:
    """Evaluate a new point.

    Attributes:
        budget: the share of a full evaluation.
        knows: how many rows of the history, from the first on, the sampler may know the results
            of; the later ones count as pending. None: all.
    """

    budget: float = 1.0
    knows: int | None = None


class Scheduler(Protocol):
    """What to evaluate next, and with which budget. A pure function of its arguments."""

    def schedule(self, history: View, free: int) -> list[New]:
        """At most `free` work items; none while there is nothing to do now."""
