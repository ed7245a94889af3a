"""Simulated time: a clock that moves when something waits, and an executor that uses it, for
thousands of trials on a thousand slots in seconds.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sparktune.executors.task import Task
from sparktune.trial import Failure, Outcome, Status, Trial


@dataclass
class Clock:
    """Seconds that pass only when something waits for them; call it for the time."""

    now: float = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now

    @property
    def timer(self) -> Callable[[], float]:
        """The clock itself, as it is never set."""
        return self

    def until(self, then: float) -> None:
        """Wait."""
        self.now = max(self.now, then)


@dataclass
class WorkingClock(Clock):
    """Seconds that pass while something waits for them, and also while this process computes (its
    processor time): for measuring how long slots stand empty because the driver is slow.
    """

    _read: float = field(default_factory=time.process_time, repr=False)

    def __call__(self) -> float:
        """Now."""
        last, self._read = self._read, time.process_time()
        self.now += self._read - last
        return self.now


@dataclass(frozen=True)
class Durations:
    """Seconds that trials take, by their ids alone: lognormal, and some much longer.

    Args:
        median: of the lognormal durations.
        spread: standard deviation of their logarithms.
        stragglers: share of the trials that take `slowdown` times as long.
        slowdown: how many times.
        seed: decides the random numbers.
    """

    median: float = 1.0
    spread: float = 0.7
    stragglers: float = 0.0
    slowdown: float = 10.0
    seed: int = 0

    def __call__(self, trial: Trial) -> float:
        """How long a trial takes."""
        rng = np.random.default_rng([self.seed, trial.id, 2])
        seconds = self.median * float(rng.lognormal(0.0, self.spread))
        return seconds * self.slowdown if rng.random() < self.stragglers else seconds


@dataclass(frozen=True, order=True)
class _Run:
    """A trial in a slot."""

    end: float
    id: int
    start: float = field(compare=False)
    trial: Trial = field(compare=False)


class SimulatedExecutor:
    """An executor whose trials take simulated time, all in the caller's thread.

    Args:
        task: what is evaluated, when the trial's time is over.
        slots: how many trials run at once: a number, or numbers by the second from which they hold,
            as `{0: 100, 60: 0, 90: 200}`. Trials that lose their slot, the youngest first, wait for
            another and begin anew; while there is none, one trial may wait.
        seconds: how long a trial takes.
        clock: the time; give it to the study too.
        crashes: whether a trial ends without a result.
    """

    def __init__(
        self,
        task: Task,
        slots: int | Mapping[float, int],
        seconds: Callable[[Trial], float],
        clock: Clock,
        crashes: Callable[[Trial], bool] = lambda trial: False,
    ) -> None:
        self._task = task
        self._seconds = seconds
        self._clock = clock
        self._crashes = crashes
        plan = slots if isinstance(slots, Mapping) else {-math.inf: slots}
        self._changes = deque(sorted(plan.items()))
        self._room = 0
        self._running: list[_Run] = []  # a heap
        self._waiting: deque[Trial] = deque()
        self._ended: list[Outcome] = []
        self._pass()

    @property
    def slots(self) -> int:
        """How many trials may be inside now."""
        return max(self._room, 1)

    @property
    def running(self) -> int:
        """How many trials run."""
        return len(self._running)

    def submit(self, trial: Trial) -> None:
        """Start a trial.

        Raises:
            RuntimeError: all slots are taken.
        """
        if len(self._running) + len(self._waiting) >= self.slots:
            raise RuntimeError(f"trial {trial.id} was submitted while all slots were taken")
        self._waiting.append(trial)
        self._fill(self._clock())

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Let time pass until trials end or slots come, at most `timeout` seconds.

        Raises:
            RuntimeError: trials wait for slots that will never come.
        """
        patience = math.inf if timeout is None else self._clock() + timeout
        room = self._room
        self._pass()
        while not self._ended and (self._running or self._waiting) and self._room <= room:
            if self._clock() >= patience:
                break
            soonest = min(self._next_event(), patience)
            if soonest == math.inf:
                raise RuntimeError("trials wait for slots, and none will come")
            self._clock.until(soonest)
            self._pass()
        ended, self._ended = self._ended, []
        return ended

    def cancel(self, ids: Iterable[int]) -> None:
        """End these trials now."""
        wanted, now = set(ids), self._clock()
        for run in sorted(self._running):
            if run.id in wanted:
                self._end(run.id, Status.CANCELLED, run.start, now)
        for trial in self._waiting:
            if trial.id in wanted:
                self._end(trial.id, Status.CANCELLED, now, now)
        self._running = [run for run in self._running if run.id not in wanted]
        heapq.heapify(self._running)
        self._waiting = deque(trial for trial in self._waiting if trial.id not in wanted)
        self._fill(now)

    def close(self) -> None:
        """End all trials now."""
        self.cancel([run.id for run in self._running] + [trial.id for trial in self._waiting])

    def _next_event(self) -> float:
        """When a trial ends or the slots change."""
        end = self._running[0].end if self._running else math.inf
        return min(end, self._changes[0][0] if self._changes else math.inf)

    def _pass(self) -> None:
        """Process what has happened until now, in order."""
        while (when := self._next_event()) <= self._clock():
            if self._changes and self._changes[0][0] == when:
                self._room = self._changes.popleft()[1]
                self._evict()
            else:
                self._finish(heapq.heappop(self._running))
            self._fill(when)

    def _evict(self) -> None:
        """Take slots from the trials for which there is no room any more."""
        oldest_first = sorted(self._running, key=lambda run: (run.start, run.id))
        for run in reversed(oldest_first[self._room :]):
            self._waiting.appendleft(run.trial)
        self._running = oldest_first[: self._room]
        heapq.heapify(self._running)

    def _fill(self, now: float) -> None:
        """Start waiting trials in free slots."""
        while self._waiting and len(self._running) < self._room:
            trial = self._waiting.popleft()
            run = _Run(now + self._seconds(trial), trial.id, now, trial)
            heapq.heappush(self._running, run)

    def _finish(self, run: _Run) -> None:
        if self._crashes(run.trial):
            self._end(run.id, Status.CRASHED, run.start, run.end)
            return
        report = self._task.evaluate(run.trial) | {"started": run.start, "finished": run.end}
        self._ended.append(Outcome.of(run.id, report))

    def _end(self, id: int, status: Status, started: float, finished: float) -> None:
        failure = Failure("Crashed", "simulated") if status is Status.CRASHED else None
        outcome = Outcome(id, status, failure=failure, started=started, finished=finished)
        self._ended.append(outcome)
