"""Tests that take `session` or `spark_trials` run on Spark Classic and on Spark Connect."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from sparktune import SparkTrials
from sparktune.executors.spark_session import is_connect


@pytest.fixture(params=["classic", "connect"])
def session(request: pytest.FixtureRequest) -> Any:
    """A session of each kind, with four slots."""
    return request.getfixturevalue({"classic": "spark"}.get(request.param, request.param))


@pytest.fixture
def spark_trials(session: Any) -> Callable[..., SparkTrials]:
    """`SparkTrials` on that session."""
    return functools.partial(SparkTrials, spark_session=session)


@pytest.fixture
def nothing_runs(session: Any) -> Callable[[], bool]:
    """Whether no job or query runs on that session; ends those that do."""

    def check() -> bool:
        if is_connect(session):
            return session.interruptAll() == []
        return list(session.sparkContext.statusTracker().getActiveJobsIds()) == []

    return check
