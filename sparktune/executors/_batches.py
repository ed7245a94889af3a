"""How many trials go into one call: several where they are short, as a call costs tens of
milliseconds on Spark.

    m    median seconds of the last trials
    d    mean seconds of the last trials; calls that have lasted long count with their time so far
    k    trials of a call: it lasts about `LASTS` if they take m, so k = LASTS / m
    c    calls that may be inside
    n    trials that have succeeded
    r    trials that are not in a call yet, those included that will still be asked for

A call ends with its last trial, so a long one holds back what those before it found. Therefore a
call begins no further trial after `ENOUGH` seconds, and k <= HELD / d: one trial of a minute among
short ones makes k fall at once, while it runs.

What little is known at first may mislead: k <= 2 n. Near the end no call is to have many trials
where another has none: k <= r / c, the guided self-scheduling of Polychronopoulos and Kuck (1987).

Suggestions limit how many trials may be inside. These few are better in few calls, if they take
less than the call itself: calls need the same processors, and of trials that end together the
next ones can learn. So there are no more calls than last `WORTH` each, and no fewer than two: while
one lasts, the next is made. This leaves places free, so it needs n >= `SURE`, and calls that last
long do not count.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

LASTS = 0.3  # seconds that a call is meant to last
ENOUGH = 0.4  # seconds of a call after which it begins no further trial
HELD = 2.0  # seconds that a call of several may last on average
LATE = 1.0  # seconds of a call after which one of its trials cannot be short
MOST = 32  # trials of a call
WORTH = 0.02  # seconds of trials that are worth a call where another could have them
SURE = 16  # successful trials after which short ones may leave places free
_LAST = 32  # trials that m and d are of


@dataclass(slots=True)
class Batches:
    """The sizes of calls.

    Args:
        fixed: trials of a call; None: as many as their durations suggest.
    """

    fixed: int | None = None
    ended: int = 0
    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_LAST))

    def note(self, trials: int, seconds: float) -> None:
        """Take into account trials that have succeeded, and took so long together."""
        self.ended += trials
        self._seconds.extend([seconds / max(trials, 1)] * trials)

    def size(self, late: Sequence[float] = ()) -> int:
        """The most trials of a call.

        Args:
            late: seconds that calls of several have taken which should have ended.
        """
        if self.fixed is not None:
            return self.fixed
        if not self._seconds:
            return 1
        k = min(_times(median(self._seconds), LASTS), _times(self._mean(late), HELD))
        return int(max(min(math.ceil(k), 2 * self.ended), 1))

    def calls(self, trials: float, late: Sequence[float] = ()) -> float:
        """How many calls at most so many trials are for; `late` as for `size`."""
        if self.ended < SURE:
            return math.inf
        return max(2, math.ceil(trials * self._mean(late) / WORTH))

    def _mean(self, late: Sequence[float]) -> float:
        return fmean([*self._seconds, *late])

    def share(self, size: int, waiting: int, left: int | None, calls: int, free: int) -> int:
        """How many of the trials that wait go into the next call.

        Args:
            size: the most.
            waiting: how many wait.
            left: how many more will be asked for; None: nobody knows.
            calls: how many calls run at once.
            free: how many of these places are free.
        """
        if self.fixed is not None and waiting < size:  # the others wait for these to end
            size = math.ceil(waiting / free)
        elif self.fixed is None and left is not None:
            size = min(size, math.ceil((waiting + left) / calls))
        return max(min(size, waiting), 1)

    def seconds(self, limit: float | None) -> float:
        """Seconds after which a call begins no further trial, each of which may take `limit`."""
        return min(
            math.inf if self.fixed is not None else ENOUGH, math.inf if limit is None else limit
        )


def _times(seconds: float, within: float) -> float:
    """How many times `seconds` fits into `within`, at most `MOST`."""
    return MOST if seconds * MOST <= within else within / seconds
