"""Calls the objective inside the MLflow run of its trial. The run is active during the call, and
leaves no state for the next trial.

This module is sent to the workers by value, together with `worker`, and imports MLflow there.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from sparktune.worker import as_number

RUN_ID = "mlflow_run_id"
"""The key in the result of a trial whose value is the id of its run."""
_PAUSE = 60.0  # seconds
_QUICKLY = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT": "20",
}
_pause = {"until": float("-inf")}


def evaluate(
    objective: Callable[..., Any], home: tuple[Any, ...], argument: Any, **more: Any
) -> Any:
    """Call the objective with the run of its trial as the active run.

    Args:
        objective: the user's objective.
        home: the result of `home_of` on the driver.
        argument: (configuration, place of the run); the place is None for a trial without a run.
        more: further arguments of the objective. With `part`, there is no run.
    """
    config, place = argument
    process, env = home
    at_home = process == _process()
    if place is None or "part" in more or (run := _new_run(place, env, at_home)) is None:
        return objective(config, **more)
    with _driver_run(run) if at_home else _worker_run(run, place["experiment"]):
        returned = objective(config, **more)
    return _with_run(returned, run)


def home_of(env: Mapping[str, str]) -> tuple[Any, ...]:
    """The identity of this process, and the environment variables for other processes."""
    return _process(), dict(env)


def _process() -> tuple[str, int]:
    return socket.gethostname(), os.getpid()


def _new_run(place: Mapping[str, Any], env: Mapping[str, str], at_home: bool) -> str | None:
    """The id of a new run; None if it cannot be created soon, which does not fail the trial. After
    a failure, no runs are created here for a minute: the driver creates them later.
    """
    if time.monotonic() < _pause["until"]:
        return None
    try:
        if not at_home:
            os.environ.update(env)
        with _short_timeouts(at_home):
            return _create_run(place, at_home)
    except Exception as error:
        print(f"MLflow: this trial has no run of its own: {type(error).__name__}: {error}")
        _pause["until"] = time.monotonic() + _PAUSE
        return None


def _create_run(place: Mapping[str, Any], at_home: bool) -> str:
    import mlflow

    if not at_home:
        mlflow.set_tracking_uri(place["uri"])
    made = mlflow.MlflowClient(place["uri"]).create_run(
        place["experiment"], tags=dict(place["tags"]), run_name=place["name"]
    )
    return str(made.info.run_id)


def _short_timeouts(at_home: bool) -> AbstractContextManager[None]:
    """A context with short timeouts of requests. The driver does not set environment variables for
    this, because its threads share them.
    """
    if at_home:
        found: AbstractContextManager[None] = sys.modules["sparktune.tracking.client"].quickly()
        return found
    return _environment(_QUICKLY)


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """A context with environment variables, for a process that evaluates one trial at a time."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _driver_run(run: str) -> Iterator[None]:
    """A context inside the run, on the driver, where the user may have active runs."""
    import mlflow

    outer = mlflow.active_run()
    try:
        with _short_timeouts(at_home=True):
            mlflow.start_run(run_id=run, nested=True)
    except Exception as error:  # for example, another experiment is active
        print(f"MLflow: this trial's run cannot be the active one: {error}")
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        _end(mlflow, status, outer and outer.info.run_id, at_home=True)


def _end(mlflow: Any, status: str, outer: str | None, at_home: bool) -> None:
    """End the active runs above the run `outer`. The driver also sets the status of the run."""
    with _short_timeouts(at_home):
        while (active := mlflow.active_run()) and active.info.run_id != outer:
            with suppress(Exception):  # raised by the server, after the run is no longer active
                mlflow.end_run(status)


@contextmanager
def _worker_run(run: str, experiment: str) -> Iterator[None]:
    """A context inside the run, in a worker process that evaluates other trials later. Environment
    variables name the run, so that `start_run()` and plain logging calls use it.
    """
    import mlflow

    given = {
        "MLFLOW_RUN_ID": run,
        "MLFLOW_EXPERIMENT_ID": experiment,
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    status = "FAILED"
    with _environment(given):
        try:
            yield
            status = "FINISHED"
        finally:
            _end(mlflow, status, None, at_home=False)
            if status == "FAILED":
                with _short_timeouts(at_home=False), suppress(Exception):
                    mlflow.MlflowClient().set_terminated(run, status)


def _with_run(returned: Any, run: str) -> Any:
    """The return value of the objective with the id of the run, if it is a valid result."""
    if isinstance(returned, dict):
        return {**returned, RUN_ID: run}
    loss = as_number(returned)
    return returned if loss is None else {"loss": loss, "status": "ok", RUN_ID: run}
