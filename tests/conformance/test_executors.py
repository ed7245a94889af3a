"""Every executor does what executors must."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sparktune.executors.pool import Pool
from sparktune.executors.seams import Executor
from sparktune.executors.serial import Serial
from sparktune.executors.task import Task
from sparktune.executors.threads import Threads
from sparktune.testing import EXECUTOR_CHECKS, Clock, SimulatedExecutor
from sparktune.testing.executors import Make

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def spark_classic(task: Task, spark: SparkSession) -> Executor:
    from sparktune.executors.spark_classic import open_classic

    return Pool(open_classic(spark, task), 4)


def spark_threads(task: Task, spark: SparkSession) -> Executor:
    from sparktune.executors.spark_threads import SparkThreads

    return Pool(SparkThreads(spark, task, 3), 3)


def spark_connect(task: Task, connect: Any) -> Executor:
    from sparktune.executors.spark_connect import open_connect

    return Pool(open_connect(connect, task), 4)


def spark_connect_threads(task: Task, connect: Any) -> Executor:
    from sparktune.executors.spark_connect_threads import SparkConnectThreads

    return Pool(SparkConnectThreads(connect, task, 3), 3)


LOCAL: dict[str, Make] = {
    "serial": Serial,
    "serial with a queue": lambda task: Serial(task, 3),
    "threads": lambda task: Pool(Threads(task, 3), 3),
    "one thread": lambda task: Pool(Threads(task, 1), 1),
}
ON_SPARK = {"spark classic": spark_classic, "spark threads": spark_threads}


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
