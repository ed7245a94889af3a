"""What a stopping rule is, and how rules combine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from sparktune.history import View
from sparktune.stopping.documents import view_of


class Stopper(Protocol):
    """What a run asks after every result."""

    def stop(self, history: View) -> str | None:
        """The reason to stop now, or None."""

    def wake_at(self, history: View) -> float:
        """When to ask again if nothing happens, in seconds since the epoch; infinite for never."""


class Rule(ABC):
    """What all rules have: `|`, `&`, and Hyperopt's way to call them."""

    __slots__ = ()

    @abstractmethod
    def stop(self, history: View) -> str | None:
        """The reason to stop now, or None."""

    def __or__(self, other: Stopper) -> AnyOf:
        return AnyOf(self, other)

    def __and__(self, other: Stopper) -> AllOf:
        return AllOf(self, other)

    def wake_at(self, history: View) -> float:
        """Never: results alone decide."""
        return float("inf")

    def __call__(self, trials: Any, *state: Any) -> tuple[bool, list[Any]]:
        """(stop, state) for trials of this package or of Hyperopt: what makes a rule an
        `early_stop_fn`. The state is the time at which the run began.
        """
        history = view_of(trials, *state)
        return self.stop(history) is not None, [history.begun]


@dataclass(frozen=True, slots=True)
class AnyOf(Rule):
    """Stops when either rule does."""

    first: Stopper
    second: Stopper

    def stop(self, history: View) -> str | None:
        """The reason of the first rule that wants to stop."""
        return self.first.stop(history) or self.second.stop(history)

    def wake_at(self, history: View) -> float:
        """The earlier of the two."""
        return min(self.first.wake_at(history), self.second.wake_at(history))


@dataclass(frozen=True, slots=True)
class AllOf(Rule):
    """Stops when both rules do."""

    first: Stopper
    second: Stopper

    def stop(self, history: View) -> str | None:
        """Both reasons, once both rules want to stop."""
        reasons = self.first.stop(history), self.second.stop(history)
        return f"{reasons[0]} and {reasons[1]}" if all(reasons) else None

    def wake_at(self, history: View) -> float:
        """The earlier of the two that is still to come."""
        times = self.first.wake_at(history), self.second.wake_at(history)
        return min((t for t in times if t > history.now), default=float("inf"))


@dataclass(frozen=True, slots=True)
class Never(Rule):
    """Never stops."""

    def stop(self, history: View) -> str | None:
        """None."""
        return None
