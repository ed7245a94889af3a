"""What every implementation of a seam must do, as plain functions, and simulated time to run it in.

    for check in SAMPLER_CHECKS:
        check(MySampler())

    for check in EXECUTOR_CHECKS:
        check(lambda task: MyExecutor(task))

    for check in TRANSPORT_CHECKS:
        check(lambda task: MyTransport(task))

A check raises AssertionError with what went wrong. No test framework is needed.
"""

from sparktune.testing.executors import EXECUTOR_CHECKS
from sparktune.testing.samplers import SAMPLER_CHECKS
from sparktune.testing.simulated import Clock, Durations, SimulatedExecutor, WorkingClock
from sparktune.testing.situations import history_of, mixed_history, spaces
from sparktune.testing.transports import TRANSPORT_CHECKS

__all__ = [
    "EXECUTOR_CHECKS",
    "SAMPLER_CHECKS",
    "TRANSPORT_CHECKS",
    "Clock",
    "Durations",
    "SimulatedExecutor",
    "WorkingClock",
    "history_of",
    "mixed_history",
    "spaces",
]
