"""Simulated time: a clock that moves when something waits, and an executor that uses it, for
thousands of trials on a thousand slots in seconds.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sparktune.executors._batches import LATE, Batches
from sparktune.executors._waiting import Waiting
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
    """A call in a slot: when it ends, the id of its first trial, when it began; its trials, one
    after the other, each with its start and end; and those for which it has no time.
    """

    end: float
    id: int
    start: float = field(compare=False)
    begun: Sequence[tuple[Trial, float, float]] = field(compare=False)
    left: Sequence[Trial] = field(compare=False)

    @property
    def trials(self) -> list[Trial]:
        """All of them."""
        return [*(trial for trial, _, _ in self.begun), *self.left]


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
        cost: seconds that a call takes a slot beyond those of its trials.
        batch: trials of a call, whose results come when it ends; None: several while they are
            short, as in a pool.
    """

    def __init__(
        self,
        task: Task,
        slots: int | Mapping[float, int],
        seconds: Callable[[Trial], float],
        clock: Clock,
        crashes: Callable[[Trial], bool] = lambda trial: False,
        cost: float = 0.0,
        batch: int | None = 1,
    ) -> None:
        self._task = task
        self._seconds = seconds
        self._clock = clock
        self._crashes = crashes
        self._cost = cost
        self._batches = Batches(batch)
        self._waiting = Waiting(self._batches)
        self._inside = 0
        plan = slots if isinstance(slots, Mapping) else {-math.inf: slots}
        self._changes = deque(sorted(plan.items()))
        self._room = 0
        self._running: list[_Run] = []  # a heap
        self._ended: list[Outcome] = []
        self._pass()

    @property
    def slots(self) -> int:
        """How many trials may be inside now."""
        free = max(self._room, 1) - len(self._running)
        return self._inside - len(self._waiting) + max(free, 0) * self._waiting.size

    @property
    def running(self) -> int:
        """How many calls run."""
        return len(self._running)

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """What is known of the trials to come: near the end, calls have fewer."""
        self._waiting.expect(trials, ahead)

    def submit(self, trial: Trial) -> None:
        """Start a trial.

        Raises:
            RuntimeError: all slots are taken, where calls have a fixed size.
        """
        if self._batches.fixed and self._inside >= self.slots:
            raise RuntimeError(f"trial {trial.id} was submitted while all slots were taken")
        self._inside += 1
        self._waiting.add(trial)
        self._fill(self._clock(), self._waiting.size)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Let time pass until trials end or slots come, at most `timeout` seconds.

        Raises:
            RuntimeError: trials wait for slots that will never come.
        """
        patience = math.inf if timeout is None else self._clock() + timeout
        slots = self.slots
        self._fill(self._clock())
        self._pass()
        while not self._ended and (self._running or self._waiting) and self.slots <= slots:
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
        starts: dict[int, float] = {}
        for run in sorted(self._running, reverse=True):
            if not wanted.isdisjoint(trial.id for trial in run.trials):
                self._stop(run)
                starts |= {trial.id: start for trial, start, _ in run.begun}
        for trial in self._waiting.remove(wanted):
            self._end(trial.id, Status.CANCELLED, min(starts.get(trial.id, now), now), now)
        self._fill(now)

    def close(self) -> None:
        """End all trials now."""
        running = {trial.id for run in self._running for trial in run.trials}
        self.cancel(running | self._waiting.ids)

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
        now = self._clock()
        several = (run for run in self._running if len(run.trials) > 1)
        late = [now - run.start for run in several if now - run.start > LATE]
        self._waiting.look(max(self._room, 1), late)

    def _evict(self) -> None:
        """Take slots from the trials for which there is no room any more."""
        oldest_first = sorted(self._running, key=lambda run: (run.start, run.id))
        for run in reversed(oldest_first[self._room :]):
            self._stop(run)

    def _stop(self, run: _Run) -> None:
        """Have the trials of a call wait again."""
        self._running.remove(run)
        heapq.heapify(self._running)
        self._waiting.again(run.trials)

    def _fill(self, now: float, at_least: int = 1) -> None:
        """Make calls of waiting trials in free slots, if there are enough."""
        while len(self._waiting) >= at_least and len(self._running) < self._room:
            trials = self._waiting.next(self._room)
            begun: list[tuple[Trial, float, float]] = []
            end = now + self._cost
            enough = end + self._batches.seconds(None)
            while trials and (not begun or end < enough):
                trial = trials.pop(0)
                start, end = end, end + self._seconds(trial)
                begun.append((trial, start, end))
            heapq.heappush(self._running, _Run(end, begun[0][0].id, now, begun, trials))

    def _finish(self, run: _Run) -> None:
        self._batches.note(len(run.begun), run.end - run.begun[0][1])
        self._waiting.again(run.left)
        for trial, start, end in run.begun:
            if self._crashes(trial):
                self._end(trial.id, Status.CRASHED, start, end)
            else:
                report = self._task.evaluate(trial) | {"started": start, "finished": end}
                self._add(Outcome.of(trial.id, report))

    def _end(self, id: int, status: Status, started: float, finished: float) -> None:
        failure = Failure("Crashed", "simulated") if status is Status.CRASHED else None
        self._add(Outcome(id, status, failure=failure, started=started, finished=finished))

    def _add(self, outcome: Outcome) -> None:
        self._ended.append(outcome)
        self._inside -= 1
