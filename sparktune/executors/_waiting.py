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
        calls: how many calls may be inside.
        most: how many trials may be inside.
        left: how many trials will still come, as far as is known; None: nobody knows.
        ahead: how many trials may be inside because calls have several.
    """

    batches: Batches
    size: int = 1
    calls: float = math.inf
    most: float = math.inf
    left: int | None = None
    ahead: float = math.inf
    _trials: deque[Trial] = field(default_factory=deque)
    _alone: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._trials)

    def look(self, places: int, late: Sequence[float] = (), long: int = 0) -> None:
        """Decide anew, where so many calls could be inside, and so many take long: these do not
        keep others out. `late` as for `Batches.size`.
        """
        self.size = self.batches.size(late)
        self.most, self.calls = math.inf, math.inf
        if self.batches.fixed is None:
            self.most = max(self.ahead, places)
            trials = min(self.most, places * self.size)
            calls = math.inf if self._alone else self.batches.calls(trials, late)
            self.size = min(self.size, math.ceil(trials / min(calls, places)))
            self.calls = calls + long

    def free(self, places: int, calls: int) -> float:
        """How many calls there is a place for beside so many, where so many could be inside."""
        return max(min(self.calls, places) - calls, 0)

    def room(self, places: int, calls: int, trials: int) -> int:
        """How many trials there is room for beside so many in so many calls, where so many calls
        could be inside.
        """
        free = self.free(places, calls)
        return int(max(min(free * self.size, self.most - trials), free))

    def expect(self, trials: int | None, ahead: float) -> None:
        """Arguments as for `Executor.expect`."""
        self.left, self.ahead = trials, ahead

    def add(self, trial: Trial) -> None:
        """Put a new trial at the end."""
        self.left = None if self.left is None else max(self.left - 1, 0)
        self._trials.append(trial)

    def again(self, trials: Sequence[Trial], alone: bool = False) -> None:
        """Put trials before all others. `alone`: each of them gets a call of its own."""
        self._trials.extendleft(reversed(trials))
        if alone:
            self._alone.update(trial.id for trial in trials)

    @property
    def ids(self) -> set[int]:
        """The ids of all waiting trials."""
        return {trial.id for trial in self._trials}

    def remove(self, ids: Set[int]) -> list[Trial]:
        """Remove those of these trials that wait; return them."""
        removed = [trial for trial in self._trials if trial.id in ids]
        self._trials = deque(trial for trial in self._trials if trial.id not in ids)
        self._alone -= ids
        return removed

    def next(self, can_run: int, inside: int) -> list[Trial]:
        """Take the trials of the next call, where so many calls can run at once, and so many are
        inside.
        """
        calls = int(min(can_run, self.calls))
        free = max(calls - inside, 1)
        share = self.batches.share(self.size, len(self._trials), self.left, calls, free)
        trials = [self._trials.popleft()]
        while len(trials) < share and self._alone.isdisjoint((trials[0].id, self._trials[0].id)):
            trials.append(self._trials.popleft())
        self._alone.discard(trials[0].id)
        return trials
