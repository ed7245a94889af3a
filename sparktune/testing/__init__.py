"""Conformance checks for implementations of the protocols, as plain functions, and an executor in
simulated time.

    for check in SAMPLER_CHECKS:
        check(MySampler())

    for check in EXECUTOR_CHECKS:
        check(lambda task: MyExecutor(task))

    for check in TRANSPORT_CHECKS:
        check(lambda task: MyTransport(task))

    for check in SCHEDULER_CHECKS:
        check(MyScheduler())

    for check in STOPPER_CHECKS:
        check(MyRule())

    for check in OBSERVER_CHECKS:
        check(lambda: MyObserver())

A check raises AssertionError with a message about the failure. No test framework is needed.
"""

from sparktune.testing.executors import EXECUTOR_CHECKS
from sparktune.testing.observers import OBSERVER_CHECKS
from sparktune.testing.samplers import SAMPLER_CHECKS
from sparktune.testing.schedulers import SCHEDULER_CHECKS
from sparktune.testing.simulated import Clock, Durations, SimulatedExecutor, WorkingClock
from sparktune.testing.situations import history_of, mixed_history, spaces
from sparktune.testing.stoppers import STOPPER_CHECKS
from sparktune.testing.transports import TRANSPORT_CHECKS

__all__ = [
    "EXECUTOR_CHECKS",
    "OBSERVER_CHECKS",
    "SAMPLER_CHECKS",
    "SCHEDULER_CHECKS",
    "STOPPER_CHECKS",
    "TRANSPORT_CHECKS",
    "Clock",
    "Durations",
    "SimulatedExecutor",
    "WorkingClock",
    "history_of",
    "mixed_history",
    "spaces",
]
