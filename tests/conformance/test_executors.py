"""Every executor does what executors must."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sparktune.executors.parts import Part, Parts
from sparktune.executors.pool import Pool
from sparktune.executors.seams import Executor
from sparktune.executors.serial import Serial
from sparktune.executors.task import Task
from sparktune.executors.threads import Threads
from sparktune.testing import EXECUTOR_CHECKS, Clock, SimulatedExecutor
from sparktune.testing.executors import Make
from sparktune.trial import Outcome, Trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def spark_classic(task: Task, spark: SparkSession) -> Executor:
    from sparktune.executors.spark_classic import open_classic

    return Pool(open_classic(spark, task), 4)


def spark_shared(task: Task, spark: SparkSession) -> Executor:
    from sparktune.executors.spark_classic import open_classic

    return Pool(open_classic(spark, task), 4, batch=3)


def spark_threads(task: Task, spark: SparkSession) -> Executor:
    from sparktune.executors.spark_threads import SparkThreads

    return Pool(SparkThreads(spark, task, 3), 3)


def spark_connect(task: Task, connect: Any) -> Executor:
    from sparktune.executors.spark_connect import open_connect

    return Pool(open_connect(connect, task), 4)


def spark_connect_threads(task: Task, connect: Any) -> Executor:
    from sparktune.executors.spark_connect_threads import SparkConnectThreads

    return Pool(SparkConnectThreads(connect, task, 3), 3)


def first(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The result of the first part."""
    return {**(outcomes[0].result or {}), "attachments": outcomes[0].attachments}


def in_parts(make: Make, clock: Callable[[], float] = time.monotonic, n: int = 3) -> Make:
    """Each trial as n calls, which all do what the trial would."""

    def made(task: Task) -> Executor:
        def configure(trial: Trial) -> Any:
            assert isinstance(trial, Part)
            return task.configure(trial.whole)

        return Parts(make(replace(task, configure=configure)), n, first, clock)

    return made


LOCAL: dict[str, Make] = {
    "serial": Serial,
    "serial with a queue": lambda task: Serial(task, 3),
    "threads": lambda task: Pool(Threads(task, 3), 3),
    "one thread": lambda task: Pool(Threads(task, 1), 1),
    "three trials a call": lambda task: Pool(Threads(task, 2), 2, batch=3),
}
LOCAL |= {f"parts on {name}": in_parts(make) for name, make in LOCAL.items()}
LOCAL |= {"one part": in_parts(Serial, n=1), "parts of parts": in_parts(in_parts(Serial))}


def spark_parts(task: Task, spark: SparkSession) -> Executor:
    return in_parts(lambda inner: spark_classic(inner, spark))(task)


ON_SPARK = {
    "spark classic": spark_classic,
    "spark classic, three trials a task": spark_shared,
    "spark threads": spark_threads,
    "parts on spark": spark_parts,
}


@pytest.mark.parametrize("make", LOCAL.values(), ids=LOCAL.keys())
@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_the_executor_passes(check: Callable[[Make], None], make: Make) -> None:
    check(make)


@pytest.mark.parametrize("make", ON_SPARK.values(), ids=ON_SPARK.keys())
@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_the_executor_on_spark_passes(
    check: Callable[[Make], None],
    make: Callable[[Task, SparkSession], Executor],
    spark: SparkSession,
) -> None:
    check(lambda task: make(task, spark))


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [spark_connect, spark_connect_threads])
def test_the_executor_on_spark_connect_passes(
    check: Callable[[Make], None], make: Callable[[Task, Any], Executor], connect: Any
) -> None:
    check(lambda task: make(task, connect))


@pytest.mark.parametrize("check", EXECUTOR_CHECKS, ids=lambda check: check.__name__)
def test_the_simulated_executor_passes_but_for_its_times(check: Callable[[Make], None]) -> None:
    if "times" not in check.__name__:
        check(lambda task: SimulatedExecutor(task, 3, lambda trial: 1.0, Clock()))
        check(lambda task: SimulatedExecutor(task, 2, lambda trial: 1.0, Clock(), batch=3))
        clock = Clock()
        check(in_parts(lambda task: SimulatedExecutor(task, 4, lambda trial: 1.0, clock), clock))
