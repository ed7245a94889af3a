"""An executor that passes its outcomes through a function before anybody else sees them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from sparktune.executors.seams import Executor
from sparktune.trial import Outcome, Trial


class Keeping:
    """Another executor, each outcome of which goes through `keep`."""

    def __init__(self, inner: Executor, keep: Callable[[Outcome], Outcome]) -> None:
        self._inner = inner
        self._keep = keep

    @property
    def slots(self) -> int:
        """Those of the other executor."""
        return self._inner.slots

    @property
    def running(self) -> int:
        """As the other executor says."""
        return self._inner.running

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """Tell the other executor."""
        self._inner.expect(trials, ahead)

    def submit(self, trial: Trial) -> None:
        """Hand a trial on."""
        self._inner.submit(trial)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """What has ended, each outcome as `keep` gives it."""
        return [self._keep(outcome) for outcome in self._inner.collect(timeout)]

    def cancel(self, ids: Iterable[int]) -> None:
        """Ask for trials to be ended."""
        self._inner.cancel(ids)

    def close(self) -> None:
        """Close the other executor."""
        self._inner.close()
