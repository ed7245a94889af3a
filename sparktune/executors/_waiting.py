"""Trials that wait for a call."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from sparktune.executors._batches import Batches
from sparktune.trial import Trial


@dataclass(slots=True)
class Waiting:
    """Trials in the order in which they are handed on, and how many share a call.

    Attributes:
        batches: the sizes of calls.
        size: the most trials of the next call.
        left: how many trials will still come, as far as is known; None: nobody knows.
        ahead: how many trials may be inside because calls have several.
    """

    batches: Batches
    size: int = 1
    left: int | None = None
    ahead: float = math.inf
    _trials: deque[Trial] = field(default_factory=deque)
    _alone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.look(1)

    def __len__(self) -> int:
        return len(self._trials)

    def look(self, slots: int, late: Sequence[float] = ()) -> None:
        """Decide anew about the size; arguments as for `Batches.size`."""
        self.size = self.batches.size(slots, late, self.ahead)

    def expect(self, trials: int | None, ahead: float) -> None:
        """Arguments as for `Executor.expect`."""
        self.left, self.ahead = trials, ahead

    def add(self, trial: Trial) -> None:
        """Put a new trial at the end."""
        self.left = None if self.left is None else max(self.left - 1, 0)
        self._trials.append(trial)

    def again(self, trials: Sequence[Trial], alone: bool = False) -> None:
        """Put trials before all others; `alone`: each is to have a call of its own."""
        self._trials.extendleft(reversed(trials))
        if alone:
            self._alone.update(trial.id for trial in trials)

    @property
    def ids(self) -> set[int]:
        """Of all that wait."""
        return {trial.id for trial in self._trials}

    def remove(self, ids: Set[int]) -> list[Trial]:
        """Take these trials out, as far as they wait."""
        removed = [trial for trial in self._trials if trial.id in ids]
        self._trials = deque(trial for trial in self._trials if trial.id not in ids)
        return removed

    def next(self, slots: int) -> list[Trial]:
        """Take the trials of the next call, where so many calls run at once."""
        share = self.batches.share(self.size, len(self._trials), self.left, slots)
        trials = [self._trials.popleft()]
        while len(trials) < share and self._alone.isdisjoint((trials[0].id, self._trials[0].id)):
            trials.append(self._trials.popleft())
        self._alone.discard(trials[0].id)
        return trials
