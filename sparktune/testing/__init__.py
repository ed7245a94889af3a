"""What every implementation of a seam must do, as plain functions, and simulated time to run it in.

    for check in SAMPLER_CHECKS:
        check(MySampler())

    for check in EXECUTOR_CHECKS:
        check(lambda task: MyExecutor(task))

A check raises AssertionError with what went wrong. No test framework is needed.
"""

from sparktune.testing.executors import EXECUTOR_CHECKS
from sparktune.testing.samplers import SAMPLER_CHECKS
from sparktune.testing.simulated import Clock, Durations, SimulatedExecutor, WorkingClock
from sparktune.testing.situations import history_of, mixed_history, spaces

__all__ = [
    "EXECUTOR_CHECKS",
    "SAMPLER_CHECKS",
    "Clock",
    "Durations",
    "SimulatedExecutor",
    "WorkingClock",
    "history_of",
    "mixed_history",
    "spaces",
]
