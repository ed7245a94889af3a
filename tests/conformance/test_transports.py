"""Every transport does what transports must, and the checks catch those that do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sparktune.errors import SparkUnavailable
from sparktune.executors.pool import Pool
from sparktune.executors.seams import Crashed
from sparktune.executors.task import Task
from sparktune.executors.threads import Threads
from sparktune.testing import EXECUTOR_CHECKS, TRANSPORT_CHECKS, transports
from sparktune.testing.transports import Make
from sparktune.trial import Trial


class Cluster:
    """A platform with a queue, slots and a way to cancel, all in this process: what somebody writes
    who has trials evaluated elsewhere.
    """

    queues = True

    def __init__(self, task: Task, slots: int = 2) -> None:
        self.slots = self.room = slots
        self._task = task
        self._free = threading.Semaphore(slots)
        self._cancelled: dict[str, threading.Event] = {}
        self._running: set[str] = set()

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        return target

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        cancelled = self._cancelled[tag] = threading.Event()
        begun = time.monotonic()
        reports: list[dict[str, Any] | None] = []
        with self._free:
            self._running.add(tag)
            try:
                for trial in trials:
                    late = reports and time.monotonic() - begun >= within
                    reports.append(None if late else self._report(trial, cancelled))
                return reports
            finally:
                self._running.discard(tag)

    def _report(self, trial: Trial, cancelled: threading.Event) -> dict[str, Any]:
        reports: list[dict[str, Any]] = []
        ended = threading.Event()

        def evaluate() -> None:
            reports.append(self._task.evaluate(trial))
            ended.set()

        threading.Thread(target=evaluate, daemon=True).start()
        while not ended.wait(0.01):
            if cancelled.is_set():
                raise Crashed("it was cancelled")
        return reports[0]

    def running(self) -> set[str]:
        return set(self._running)

    def lost(self) -> SparkUnavailable | None:
        return None

    def cancel(self, tag: str) -> bool:
        if tag in self._cancelled:
            self._cancelled[tag].set()
        return True

    def close(self) -> None:
        pass


LOCAL: dict[str, Make] = {
    "a cluster": Cluster,
    "threads": lambda task: Threads(task, 2),
}


@pytest.mark.parametrize("make", LOCAL.values(), ids=LOCAL.keys())
@pytest.mark.parametrize("check", TRANSPORT_CHECKS, ids=lambda check: check.__name__)
def test_the_transport_passes(check: Callable[[Make], None], make: Make) -> None:
    check(make)


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_a_pool_makes_an_executor_of_it(check: Callable[[Any], None]) -> None:
    check(lambda task: Pool(Cluster(task), 2))


@pytest.mark.parametrize("check", TRANSPORT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["classic", "connect"])
def test_the_transport_on_spark_passes(
    check: Callable[[Make], None], kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "classic":
        from sparktune.executors.spark_classic import open_classic

        spark = request.getfixturevalue("spark")
        check(lambda task: open_classic(spark, task))
    else:
        from sparktune.executors.spark_connect import open_connect

        connect = request.getfixturevalue("connect")
        check(lambda task: open_connect(connect, task))


class Full(Cluster):
    room = property(lambda self: 0, lambda self, value: None)


class Forgetful(Cluster):
    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        return super().call([Trial(0, {}) for _ in trials], tag, within)


class Once(Cluster):
    """Ends a thread after its first call."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._thread = threading.local()

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        if hasattr(self._thread, "called"):
            raise Crashed("once only")
        self._thread.called = True
        return super().call(trials, tag, within)

    def bind(self, target: Callable[[], None]) -> Callable[[], None]:
        def bound() -> None:
            try:
                target()
            except Crashed:
                return

        return bound


class InTurn(Cluster):
    """Says that it has more slots than it has."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, 1)
        self.slots = 2


class Blind(Cluster):
    def running(self) -> set[str]:
        return set()


class Deaf(Cluster):
    """Says that it cancels, and does not."""

    def cancel(self, tag: str) -> bool:
        return True


class Touchy(Cluster):
    def cancel(self, tag: str) -> bool:
        self._cancelled[tag].set()
        return True


class Early(Cluster):
    """Says that what waits runs."""

    def running(self) -> set[str]:
        return set(self._cancelled)


BROKEN: list[tuple[Callable[[Make], None], Make]] = [
    (transports.check_it_tells_its_size_at_once, Full),
    (transports.check_a_call_gives_the_report_of_its_trial, Forgetful),
    (transports.check_one_thread_makes_one_call_after_the_other, Once),
    (transports.check_calls_overlap, InTurn),
    (transports.check_what_runs_is_known_and_can_be_cancelled, Blind),
    (transports.check_what_runs_is_known_and_can_be_cancelled, Deaf),
    (transports.check_a_cancel_of_nothing_changes_nothing, Touchy),
    (transports.check_calls_that_wait_for_a_slot_do_not_run, Early),
]


@pytest.mark.parametrize(("check", "make"), BROKEN, ids=lambda each: each.__name__)
def test_a_check_fails_for_a_broken_transport(
    check: Callable[[Make], None], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "_PATIENCE", 3.0)
    monkeypatch.setattr(transports, "_LONG", 1.0)
    with pytest.raises((AssertionError, KeyError)):
        check(make)


def test_every_check_has_a_transport_that_fails_it() -> None:
    assert {check for check, _ in BROKEN} == set(TRANSPORT_CHECKS)
