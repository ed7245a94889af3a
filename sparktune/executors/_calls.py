"""The phases of a call: what the pool knows of a trial that it has handed on.

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

From each phase a call may leave the pool with the outcome that its thread reports. Of an abandoned
call the pool reports the outcome itself, and what its thread says later counts no more.

A call waits for a thread of the pool, and then for a slot of the platform. Its time runs only
while it runs, and starts over with each slot that it is given: a call that lost its slot is
charged for its second life only.

Transitions are pure and belong to the caller's thread; a call's own thread only counts attempts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from enum import Enum

from sparktune.trial import Status, Trial


class Phase(Enum):
    """Where a call stands."""

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
        grace: that `close` waits for cancelled calls to end.
        silence: without an answer of the platform, after which it is taken to be lost.
    """

    look: float = 5.0
    again: float = 0.25
    grace: float = 3.0
    silence: float = 60.0


USUAL = Timing()


@dataclass(frozen=True, slots=True)
class State:
    """The phase of a call, and what belongs to it.

    Attributes:
        attempt: the attempt that runs.
        due: when the time of a running call is over, or a cancel is repeated; else infinite.
        why: the status of a call that is ended on purpose.
    """

    phase: Phase = Phase.WAITING
    attempt: int = 0
    due: float = float("inf")
    why: Status | None = None

    def seen(self, runs: bool, attempt: int, now: float, limit: float) -> State:
        """After the platform was asked whether this attempt runs; it may for `limit` seconds."""
        if self.phase not in (Phase.WAITING, Phase.RUNNING):
            return self
        if not runs:
            return State()
        if self.phase is Phase.RUNNING and attempt == self.attempt:
            return self
        return State(Phase.RUNNING, attempt, now + limit)

    def told_to_end(self, why: Status, now: float, again: float) -> State:
        """After a cancel; the first reason counts."""
        return replace(self, phase=Phase.ENDING, due=now + again, why=self.why or why)

    def abandoned(self) -> State:
        """After it was reported as ended, though nothing was heard of it."""
        return replace(self, phase=Phase.ABANDONED, due=float("inf"))


@dataclass(slots=True)
class Call:
    """A trial inside the pool.

    `taken` is held by whoever got to it first: the thread that evaluates it, or its cancellation.
    `attempt` counts the evaluations; only the thread that evaluates writes it.
    """

    trial: Trial
    tag: str
    taken: threading.Lock = field(default_factory=threading.Lock)
    attempt: int = 0
    state: State = State()
