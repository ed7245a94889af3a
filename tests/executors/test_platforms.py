"""Platforms: options that start nothing until they are opened."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Parts, Platform, Serial, Spark, Threads
from sparktune.testing import EXECUTOR_CHECKS
from sparktune.testing.executors import Make

PLATFORMS: list[Platform] = [Serial(), Serial(queue=3), Threads(3)]


@pytest.mark.parametrize("platform", PLATFORMS, ids=repr)
@pytest.mark.parametrize("check", EXECUTOR_CHECKS)
def test_what_they_open_is_an_executor(check: Any, platform: Platform) -> None:
    make: Make = platform.open
    check(make)


def test_they_say_how_many_run_at_once() -> None:
    each = Serial(), Threads(), Threads(7), Spark(), Spark(8)
    assert [platform.parallelism for platform in each] == [1, 4, 7, "auto", 8]
    each_in_parts = [Parts(platform, 5).parallelism for platform in each]
    assert each_in_parts == [1, 2, 3, "auto", 3]
    assert Parts(Threads(7), 1).parallelism == 7


@pytest.mark.parametrize(
    "platform",
    [*PLATFORMS, Spark(3, 60.0, 2), Parts(Threads(3), 5)],
    ids=lambda platform: type(platform).__name__,
)
def test_they_are_equal_after_a_pickle(platform: Platform) -> None:
    assert pickle.loads(pickle.dumps(platform)) == platform


def test_a_pickle_leaves_out_what_lives_in_the_jvm() -> None:
    class Profile:
        taskResources: Any = None

    spark = Spark(2, session=object(), resource_profile=Profile())  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(spark)) == Spark(2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Serial(queue=0), "queue must be an integer >= 1.* 0"),
        (lambda: Threads(0), "parallelism must be an integer >= 1.* 0"),
        (lambda: Threads(2.5), "parallelism .* 2.5"),  # type: ignore[arg-type]
        (lambda: Parts(Serial(), 0), "n must be an integer >= 1.* 0"),
        (lambda: Parts(4, 2), "on must be .* got 4"),  # type: ignore[arg-type]
        (lambda: Parts(Serial, 2), "on must be .* got <class"),  # type: ignore[arg-type]
        (lambda: Parts(Serial(), 2, 1), "merge must be a function .* got 1"),  # type: ignore[arg-type]
        (lambda: Spark(0), 'parallelism must be an integer >= 1, or "auto".* 0'),
        (lambda: Spark(True), "parallelism .* True"),
        (lambda: Spark(trial_timeout=0), "trial_timeout .* 0"),
        (lambda: Spark(retries=-1), "retries .* -1"),
        (lambda: Spark(resource_profile=3), "resource_profile .* got 3"),
    ],
)
def test_options_out_of_range_are_refused_when_they_are_made(make: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        make()


def test_making_one_needs_no_spark() -> None:
    program = """
import sys
from sparktune.executors.platforms import Spark
Spark(4, trial_timeout=60)
assert "pyspark" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
