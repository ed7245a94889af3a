"""Simulated time: a clock that advances when something waits, and an executor that uses it. It
simulates thousands of trials on a thousand slots within seconds.
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
    """A clock that only advances when something waits for it. Calling it returns its time, in
    seconds.
    """

    now: float = 0.0

    def __call__(self) -> float:
        """The current time."""
        return self.now

    @property
    def timer(self) -> Callable[[], float]:
        """The clock itself, because it is never set back."""
        return self

    def until(self, then: float) -> None:
        """Wait until the time `then`."""
        self.now = max(self.now, then)


@dataclass
class WorkingClock(Clock):
    """A clock that also advances by the processor time of this process. It measures for how long
    slots are idle because the driver computes.
    """

    _read: float = field(default_factory=time.process_time, repr=False)

    def __call__(self) -> float:
        """The current time."""
        last, self._read = self._read, time.process_time()
        self.now += self._read - last
        return self.now


@dataclass(frozen=True)
class Durations:
    """Lognormal durations of trials, with some stragglers; they depend only on the seed and the id.

    Args:
        median: the median of the lognormal distribution, in seconds.
        spread: the standard deviation of the logarithms.
        stragglers: the share of trials that take `slowdown` times as long.
        slowdown: the factor of the stragglers.
        seed: the seed of the random numbers.
    """

    median: float = 1.0
    spread: float = 0.7
    stragglers: float = 0.0
    slowdown: float = 10.0
    seed: int = 0

    def __call__(self, trial: Trial) -> float:
        """The duration of a trial, in seconds."""
        rng = np.random.default_rng([self.seed, trial.id, 2])
        seconds = self.median * float(rng.lognormal(0.0, self.spread))
        return seconds * self.slowdown if rng.random() < self.stragglers else seconds


@dataclass(frozen=True, order=True)
class _Run:
    """A call in a slot.

    end, start    its times, in seconds
    id            the id of its first trial
    begun         (trial, start, end) of the trials that it evaluates, one after the other
    left          the trials that it returns without an evaluation
    """

    end: float
    id: int
    start: float = field(compare=False)
    begun: Sequence[tuple[Trial, float, float]] = field(compare=False)
    left: Sequence[Trial] = field(compare=False)

    @property
    def trials(self) -> list[Trial]:
        """All trials of the call."""
        return [*(trial for trial, _, _ in self.begun), *self.left]


class SimulatedExecutor:
    """An executor whose trials take simulated time. It runs in the thread of the caller.

    Args:
        task: the task, which is evaluated at the end of the trial's time.
        slots: the number of slots; or {second: number of slots from then on}, such as `{0: 100, 60:
            0, 90: 200}`. Trials that lose their slot, the youngest first, wait for another one and
            start over; while there is no slot, one trial may wait.
        seconds: returns the duration of a trial, in seconds.
        clock: the clock, which the study must share.
        crashes: returns whether a trial ends without a result.
        cost: seconds for which a call occupies a slot in addition to its trials.
        batch: the number of trials of a call, whose results arrive at its end; None: chosen by
            their durations, as in a pool.
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
        """The number of trials that may be submitted and unfinished now."""
        inside = self._inside - len(self._waiting)
        return inside + self._waiting.room(max(self._room, 1), len(self._running), inside)

    @property
    def running(self) -> int:
        """The number of running calls."""
        return len(self._running)

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """Set what is known about the next trials: near the end, calls have fewer trials."""
        self._waiting.expect(trials, ahead)

    def submit(self, trial: Trial) -> None:
        """Start a trial.

        Raises:
            RuntimeError: `batch` is a number, and all slots are taken.
        """
        if self._batches.fixed and self._inside >= self.slots:
            raise RuntimeError(f"trial {trial.id} was submitted while all slots were taken")
        self._inside += 1
        self._waiting.add(trial)
        self._fill(self._clock(), self._waiting.size)

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Advance the time until trials end or slots are added, at most by `timeout` seconds, and
        return the outcomes.

        Raises:
            RuntimeError: trials wait for a slot, and none will ever be added.
        """
        patience = math.inf if timeout is None else self._clock() + timeout
        slots = self.slots
        self._fill(self._clock())
        self._pass()
        while not self._ended and (self._running or self._waiting) and self.slots <= slots:
            if self._clock() >= patience:
                break
            soonest = min(self._next_event(), self._next_long(), patience)
            if soonest == math.inf:
                raise RuntimeError("trials wait for slots, and none will be added")
            self._clock.until(soonest)
            self._pass()
        ended, self._ended = self._ended, []
        return ended

    def cancel(self, ids: Iterable[int]) -> None:
        """Cancel these trials now."""
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
        """Cancel all trials now."""
        running = {trial.id for run in self._running for trial in run.trials}
        self.cancel(running | self._waiting.ids)

    def _next_event(self) -> float:
        """The time at which the next call ends or the number of slots changes."""
        end = self._running[0].end if self._running else math.inf
        return min(end, self._changes[0][0] if self._changes else math.inf)

    def _pass(self) -> None:
        """Process all events up to now, in order."""
        while (when := self._next_event()) <= self._clock():
            if self._changes and self._changes[0][0] == when:
                self._room = self._changes.popleft()[1]
                self._evict()
            else:
                self._finish(heapq.heappop(self._running))
            self._fill(when)
        self._look()

    def _look(self) -> None:
        """Decide how many trials and calls may be inside."""
        now = self._clock()
        long = [] if self._batches.fixed else [r for r in self._running if r.start + LATE <= now]
        late = [now - run.start for run in long if len(run.trials) > 1]
        self._waiting.look(max(self._room, 1), late, len(long))

    def _next_long(self) -> float:
        """The time from which a call takes long, if it keeps others out until then."""
        if self._waiting.calls >= max(self._room, 1):
            return math.inf
        ends = (run.start + LATE for run in self._running)
        return min((end for end in ends if end > self._clock()), default=math.inf)

    def _evict(self) -> None:
        """Stop the youngest calls if there are fewer slots than calls."""
        oldest_first = sorted(self._running, key=lambda run: (run.start, run.id))
        for run in reversed(oldest_first[self._room :]):
            self._stop(run)

    def _stop(self, run: _Run) -> None:
        """Stop a call; its trials wait again."""
        self._running.remove(run)
        heapq.heapify(self._running)
        self._waiting.again(run.trials)

    def _fill(self, now: float, at_least: int = 1) -> None:
        """Start calls in free slots, while at least `at_least` trials wait."""
        while len(self._waiting) >= at_least and self._waiting.free(self._room, len(self._running)):
            trials = self._waiting.next(self._room, len(self._running))
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
