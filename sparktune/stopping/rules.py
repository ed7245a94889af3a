"""The protocol of stopping rules, and their combinations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from sparktune.history import View
from sparktune.stopping.documents import view_of


class Stopper(Protocol):
    """The protocol of stopping rules. A run calls `stop` after every result.

    A rule whose answer can change without a new result also has a method `wake_at(history)`. It
    returns the time at which to call `stop` again, in seconds since the epoch; infinity for never.
    """

    def stop(self, history: View) -> str | None:
        """The reason to stop now, or None."""


def wake_at(stopper: Stopper, history: View) -> float:
    """The time at which to call a rule again without a new result; infinity for never."""
    own: Any = getattr(stopper, "wake_at", None)
    return float("inf") if own is None else float(own(history))


class Rule(ABC):
    """Base class of the rules: combines them with `|` and `&`, and makes each one callable as
    Hyperopt's `early_stop_fn`.
    """

    __slots__ = ()

    @abstractmethod
    def stop(self, history: View) -> str | None:
        """The reason to stop now, or None."""

    def __or__(self, other: Stopper) -> AnyOf:
        return AnyOf(self, other) if hasattr(other, "stop") else NotImplemented

    def __and__(self, other: Stopper) -> AllOf:
        return AllOf(self, other) if hasattr(other, "stop") else NotImplemented

    def wake_at(self, history: View) -> float:
        """Infinity, because only a new result can change the answer."""
        return float("inf")

    def __call__(self, trials: Any, *state: Any) -> tuple[bool, list[Any]]:
        """(stop, state) for trials of this package or of Hyperopt, as an `early_stop_fn` returns.
        The state holds the time at which the run began.
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
        """The earlier time of both rules."""
        return min(wake_at(self.first, history), wake_at(self.second, history))


@dataclass(frozen=True, slots=True)
class AllOf(Rule):
    """Stops when both rules do."""

    first: Stopper
    second: Stopper

    def stop(self, history: View) -> str | None:
        """Both reasons, if both rules want to stop; else None."""
        reasons = self.first.stop(history), self.second.stop(history)
        return f"{reasons[0]} and {reasons[1]}" if all(reasons) else None

    def wake_at(self, history: View) -> float:
        """The earliest time of both rules that is in the future; infinity if there is none."""
        times = wake_at(self.first, history), wake_at(self.second, history)
        return min((t for t in times if t > history.now), default=float("inf"))


@dataclass(frozen=True, slots=True)
class Never(Rule):
    """A rule that never stops a run."""

    def stop(self, history: View) -> str | None:
        """Return None."""
        return None
