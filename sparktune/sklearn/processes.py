"""Trials in processes of this machine that can be ended, for time limits without Spark."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

from sparktune import worker
from sparktune.arguments import positive, whole
from sparktune.executors.pool import Pool
from sparktune.executors.seams import Crashed, Executor
from sparktune.executors.task import Task
from sparktune.trial import Trial

_objective: list[Callable[[Any], Any]] = []  # of a worker process


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes of this machine. Each is started with the objective, and used for one trial after
    the other; one that crashes, or runs out of time, costs its trial and is replaced.

    Args:
        parallelism: the most trials that run at once.
        trial_timeout: seconds that one trial may run, from when its process is there; it is ended
            then and recorded as failed. None: no limit.

    Raises:
        InvalidArgument: an option is out of range.
    """

    parallelism: int = 1
    trial_timeout: float | None = None

    def __post_init__(self) -> None:
        whole("parallelism", self.parallelism, 1)
        positive("trial_timeout", self.trial_timeout)

    def open(self, task: Task) -> Executor:
        """A pool over processes."""
        return Pool(_Transport(task, self.parallelism), self.parallelism, self.trial_timeout)


@dataclass
class _Transport:
    """Calls the objective in a process; there is one for each slot, as soon as it is needed."""

    task: Task
    slots: int
    queues: bool = False
    idle: list[ProcessPoolExecutor] = field(default_factory=list)
    busy: dict[str, ProcessPoolExecutor] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def room(self) -> int:
        """The number of slots."""
        return self.slots

    def bind(self, target: Any) -> Any:
        """Return the target unchanged."""
        return target

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        """Evaluate a trial in a process: none shares a call, as a call costs next to nothing."""
        [trial] = trials
        return [self._report(trial, tag)]

    def _report(self, trial: Trial, tag: str) -> dict[str, Any]:
        try:
            config = self.task.configure(trial)
        except Exception as error:
            return worker.failed(error)
        process = self._take(tag)
        try:
            process.submit(_is_there).result()
            with self.lock:
                self.begun.add(tag)
            report: dict[str, Any] = process.submit(_evaluate, config).result()
        except BaseException as error:
            _end(process)
            raise Crashed(f"the process of the trial ended: {error}") from error
        finally:
            with self.lock:
                self.begun.discard(tag)
                del self.busy[tag]
        with self.lock:
            self.idle.append(process)
        return report

    def _take(self, tag: str) -> ProcessPoolExecutor:
        with self.lock:
            process = self.idle.pop() if self.idle else None
        if process is None:
            process = ProcessPoolExecutor(1, initializer=_load, initargs=(self.task.objective,))
        with self.lock:
            self.busy[tag] = process
        return process

    def running(self) -> set[str]:
        """The tags of the calls whose process is there."""
        with self.lock:
            return set(self.begun)

    def lost(self) -> None:
        """Return None: the processes cannot be lost."""

    def cancel(self, tag: str) -> bool:
        """End the process of a call."""
        with self.lock:
            process = self.busy.get(tag)
        if process is not None:
            _end(process)
        return True

    def close(self) -> None:
        """End all processes."""
        with self.lock:
            processes, self.idle = [*self.idle, *self.busy.values()], []
        for process in processes:
            _end(process)


def _end(process: ProcessPoolExecutor) -> None:
    process.shutdown(wait=False, kill_workers=True)


def _is_there() -> bool:
    return True


def _load(objective: Callable[[Any], Any]) -> None:
    """Keep the objective. To find this function a process imports scikit-learn, before the time of
    its first trial begins.
    """
    _objective[:] = [objective]


def _evaluate(config: Any) -> dict[str, Any]:
    report = worker.evaluate(_objective[0], config)
    report.pop("exception", None)
    return report
