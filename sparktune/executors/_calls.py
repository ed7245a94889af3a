"""The phases of a call: what the pool knows of trials that it has handed on.

                  seen to run
    WAITING ----------------------------> RUNNING
       |    <----------------------------    |
       |    seen not to run, or              |
       |    in its next attempt              |
       |                                     |
       | told to end                         | told to end, or its time is over
       +--------------> ENDING <-------------+
                        |  ^ |
                        |  +-+ told again
                        |
                        | no thread has begun it, or the platform cannot end it
                        v
                    ABANDONED

From each phase a call may leave the pool with the reports that its thread has. Of an abandoned
call the pool reports the outcomes itself, and what its thread says later counts no more.

A call has one trial or several. Where one of several is told to end, the others have a moment to
end by themselves. A call of several that ends without reports says nothing of any of them: those
that were not told to end are evaluated again, each in a call of its own.

A call waits for a thread of the pool, and then for a slot of the platform. Its time runs only
while it runs, and starts over with each slot that it is given: a call that lost its slot is
charged for its second life only.

Transitions are pure and belong to the caller's thread; a call's own thread only counts attempts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from sparktune.executors._batches import LATE
from sparktune.trial import Status, Trial


class Phase(Enum):
    """The phase of a call."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDING = "ending"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the engine waits, in seconds of a monotonic clock.

    Attributes:
        look: until the platform is asked again: have slots come, is it still there.
        again: until a cancel is repeated: it misses a call that is not yet on the platform.
        companions: that the other trials of a call have to end, when one is told to.
        grace: that `close` waits for cancelled calls to end.
        silence: without an answer of the platform, after which it is taken to be lost.
    """

    look: float = 5.0
    again: float = 0.25
    companions: float = 0.5
    grace: float = 3.0
    silence: float = 60.0


USUAL = Timing()


@dataclass(frozen=True, slots=True)
class State:
    """The phase of a call, and what belongs to it.

    Attributes:
        attempt: the attempt that runs.
        due: when the time of a running call is over, or one that ends is cancelled, maybe again;
            else infinite.
    """

    phase: Phase = Phase.WAITING
    attempt: int = 0
    due: float = float("inf")

    def seen(self, runs: bool, attempt: int, now: float, limit: float) -> State:
        """The state after the platform reported whether this attempt runs. `limit` is the number of
        seconds that it may run.
        """
        if self.phase not in (Phase.WAITING, Phase.RUNNING):
            return self
        if not runs:
            return State()
        if self.phase is Phase.RUNNING and attempt == self.attempt:
            return self
        return State(Phase.RUNNING, attempt, now + limit)

    def told_to_end(self, now: float, again: float) -> State:
        """The state after the call was cancelled; the cancel is repeated after `again` seconds."""
        return replace(self, phase=Phase.ENDING, due=now + again)

    def abandoned(self) -> State:
        """The state after the call was reported as ended, although it has not returned."""
        return replace(self, phase=Phase.ABANDONED, due=float("inf"))


@dataclass(slots=True)
class Call:
    """Trials inside the pool.

    `within` are the seconds after which none of them is begun, and `begun` is when they were handed
    on. `told` has the trials that were told to end, and the statuses that say why; the first reason
    counts. `taken` is held by whoever got to the call first: the thread that makes it, or its
    cancellation. `attempt` counts how often it was made; only the thread that makes it writes it.
    """

    trials: tuple[Trial, ...]
    tag: str
    within: float = float("inf")
    begun: float = 0.0
    told: dict[int, Status] = field(default_factory=dict)
    taken: threading.Lock = field(default_factory=threading.Lock)
    attempt: int = 0
    state: State = State()

    @property
    def alone(self) -> bool:
        """Whether the call has one trial."""
        return len(self.trials) == 1

    @property
    def long_from(self) -> float:
        """The time from which the call takes longer than short trials do."""
        return self.begun + LATE

    def tell(self, ids: Iterable[int], why: Status) -> bool:
        """Tell trials of the call to end; return whether all of its trials are told to end."""
        for id in ids:
            self.told.setdefault(id, why)
        return len(self.told) == len(self.trials)
