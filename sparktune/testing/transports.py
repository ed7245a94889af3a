"""Conformance checks of transports, from which `Pool` makes executors:
`for check in TRANSPORT_CHECKS: check(make)`.

`make(task)` returns a new transport of the task, to a platform with at least two slots. A check
raises AssertionError if it fails. `EXECUTOR_CHECKS` with `lambda task: Pool(make(task), 2)` check
the outcomes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from sparktune.executors.seams import Transport
from sparktune.executors.task import Task
from sparktune.trial import Trial

Make: TypeAlias = Callable[[Task], Transport]

_PATIENCE = 60.0  # seconds that a check waits for something to happen
_LONG = 10.0  # duration of an objective that a check must observe while it runs, in seconds


def check_it_tells_its_size_at_once(make: Make) -> None:
    """A new transport has room for a call, runs none, and has not lost its platform."""
    transport = make(_task(float))
    assert 1 <= transport.room <= transport.slots, f"{transport.room} of {transport.slots} slots"
    assert transport.queues in (True, False), f"queues is {transport.queues!r}"
    assert transport.lost() is None, f"it is lost: {transport.lost()}"
    assert not transport.running(), "something runs before the first call"
    transport.close()


def check_a_call_gives_the_report_of_its_trial(make: Make) -> None:
    """Each call returns the report of its trial, with one thread, bound with `bind`, per call."""
    transport = make(_task(float))
    calls = _start_calls(transport, range(4))
    for id, call in calls.items():
        report = call.report()
        assert report["status"] == "ok", f"the status is {report['status']}"
        assert report["loss"] == float(id), f"the loss is {report['loss']}"
    transport.close()


def check_one_thread_makes_one_call_after_the_other(make: Make) -> None:
    """A thread that is bound once can make several calls."""
    transport = make(_task(float))
    losses: list[Any] = []

    def work() -> None:
        losses.extend(_report(transport, Trial(id, {}), f"kit-{id}")["loss"] for id in range(3))

    thread = threading.Thread(target=transport.bind(work), daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    assert losses == [0.0, 1.0, 2.0], f"the losses are {losses}"
    transport.close()


def check_calls_overlap(make: Make) -> None:
    """Two calls from two threads run at the same time. This may need several attempts, because a
    worker may have to start.
    """
    transport = make(_task(_second))
    end = time.monotonic() + _PATIENCE
    overlap = False
    while not overlap:
        assert time.monotonic() < end, "two calls never ran at once"
        reports = [call.report() for call in _start_calls(transport, range(2)).values()]
        overlap = max(r["started"] for r in reports) < min(r["finished"] for r in reports)
    transport.close()


def check_what_runs_is_known_and_can_be_cancelled(make: Make) -> None:
    """`running` contains a call while it runs. After `cancel` it soon ends without a report, unless
    `cancel` returns false.
    """
    transport = make(_task(_long))
    [call] = _start_calls(transport, [0]).values()
    _wait(lambda: call.tag in (transport.running() or ()) or call.ended.is_set(), "no call runs")
    assert not call.ended.is_set(), f"the call ended before it was seen running: {call.result!r}"
    begun = time.monotonic()
    if transport.cancel(call.tag):
        _wait(lambda: not transport.cancel(call.tag) or call.ended.is_set(), "it is not cancelled")
        assert isinstance(call.result, Exception), f"it gave {call.result!r}"
        assert time.monotonic() - begun < _LONG, "it was not ended before its time"
        _wait(lambda: transport.running() == set(), "it counts as running for ever")
    transport.close()


def check_a_cancel_of_nothing_changes_nothing(make: Make) -> None:
    """`cancel` has no effect on other calls, for a call that has ended or has not begun."""
    transport = make(_task(float))
    transport.cancel("kit-nothing")
    [call] = _start_calls(transport, [1]).values()
    assert call.report()["loss"] == 1.0
    transport.cancel(call.tag)
    [call] = _start_calls(transport, [2]).values()
    assert call.report()["loss"] == 2.0
    assert transport.lost() is None, f"it is lost: {transport.lost()}"
    transport.close()


def check_calls_that_wait_for_a_slot_do_not_run(make: Make) -> None:
    """On a platform with a queue, no more calls run than there are slots, and the others follow."""
    transport = make(_task(_second))
    if transport.queues and transport.slots <= 16:
        calls = _start_calls(transport, range(transport.slots + 2))
        most = 0
        while not all(call.ended.wait(0.05) for call in calls.values()):
            most = max(most, len(transport.running() or ()))
        assert most <= transport.slots, f"{most} calls ran in {transport.slots} slots"
        for call in calls.values():
            call.report()
    transport.close()


TRANSPORT_CHECKS: tuple[Callable[[Make], None], ...] = (
    check_it_tells_its_size_at_once,
    check_a_call_gives_the_report_of_its_trial,
    check_one_thread_makes_one_call_after_the_other,
    check_calls_overlap,
    check_what_runs_is_known_and_can_be_cancelled,
    check_a_cancel_of_nothing_changes_nothing,
    check_calls_that_wait_for_a_slot_do_not_run,
)


def _report(transport: Transport, trial: Trial, tag: str) -> dict[str, Any]:
    [report] = transport.call([trial], tag, 0.0)
    assert report is not None, "the first trial of a call was not begun"
    return report


def _task(objective: Callable[[Any], Any]) -> Task:
    return Task(objective, _id)


def _id(trial: Trial) -> int:
    return trial.id


def _second(config: Any) -> float:
    time.sleep(1.0)
    return float(config)


def _long(config: Any) -> float:
    time.sleep(_LONG)
    return float(config)


class _Running:
    """A call in a separate thread, and its result."""

    def __init__(self, transport: Transport, id: int) -> None:
        self.tag = f"kit-{id}-{time.monotonic_ns()}"
        self.result: Any = None
        self.ended = threading.Event()
        self._transport = transport
        self._trial = Trial(id, {})
        threading.Thread(target=transport.bind(self._call), daemon=True).start()

    def _call(self) -> None:
        try:
            self.result = _report(self._transport, self._trial, self.tag)
        except Exception as error:
            self.result = error
        finally:
            self.ended.set()

    def report(self) -> dict[str, Any]:
        """The report of the worker, once the call has ended."""
        assert self.ended.wait(_PATIENCE), f"no end within {_PATIENCE} seconds"
        assert isinstance(self.result, dict), f"the call gave {self.result!r}"
        return self.result


def _start_calls(transport: Transport, ids: Iterable[int]) -> dict[int, _Running]:
    return {id: _Running(transport, id) for id in ids}


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)
