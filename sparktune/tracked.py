"""Calls the objective inside an MLflow run of the trial's own: it is the active run for the
objective, and nothing of it is left for the next trial.

This module travels to the workers by value, with `worker`, and imports MLflow there.
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
"""The key of a trial's result that holds its run."""
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
    """Call the objective with its trial's run as the active one.

    Args:
        objective: the user's.
        home: of the driver, from `home_of`.
        argument: the configuration, and where the run is to be; None: it gets none.
        more: what else the objective takes; a part of a trial has no run of its own.
    """
    config, place = argument
    process, env = home
    at_home = process == _process()
    if place is None or "part" in more or (run := _made(place, env, at_home)) is None:
        return objective(config, **more)
    with _nested(run) if at_home else _alone(run, place["experiment"]):
        returned = objective(config, **more)
    return _with_run(returned, run)


def home_of(env: Mapping[str, str]) -> tuple[Any, ...]:
    """This process, and the environment variables that others get."""
    return _process(), dict(env)


def _process() -> tuple[str, int]:
    return socket.gethostname(), os.getpid()


def _made(place: Mapping[str, Any], env: Mapping[str, str], at_home: bool) -> str | None:
    """A new run; None if it cannot be created soon, which must not cost the trial. After a failure,
    trials of the next minute do not try: the driver makes their runs later.
    """
    if time.monotonic() < _pause["until"]:
        return None
    try:
        if not at_home:
            os.environ.update(env)
        with _quickly(at_home):
            return _created(place, at_home)
    except Exception as error:
        print(f"MLflow: this trial has no run of its own: {type(error).__name__}: {error}")
        _pause["until"] = time.monotonic() + _PAUSE
        return None


def _created(place: Mapping[str, Any], at_home: bool) -> str:
    import mlflow

    if not at_home:
        mlflow.set_tracking_uri(place["uri"])
    made = mlflow.MlflowClient(place["uri"]).create_run(
        place["experiment"], tags=dict(place["tags"]), run_name=place["name"]
    )
    return str(made.info.run_id)


def _quickly(at_home: bool) -> AbstractContextManager[None]:
    """Requests fail soon. Threads of the driver share its environment, and its own way to do so."""
    if at_home:
        found: AbstractContextManager[None] = sys.modules["sparktune.tracking.client"].quickly()
        return found
    return _environment(_QUICKLY)


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """These variables, in a process that does one thing at a time."""
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
def _nested(run: str) -> Iterator[None]:
    """Inside the run in the driver, where the user may have active runs."""
    import mlflow

    outer = mlflow.active_run()
    try:
        with _quickly(at_home=True):
            mlflow.start_run(run_id=run, nested=True)
    except Exception as error:  # such as: another experiment is the active one
        print(f"MLflow: this trial's run cannot be the active one: {error}")
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        _end(mlflow, status, outer and outer.info.run_id, at_home=True)


def _end(mlflow: Any, status: str, outer: str | None, at_home: bool) -> None:
    """End the active runs within another one; the driver says how the trial ended, too."""
    with _quickly(at_home):
        while (active := mlflow.active_run()) and active.info.run_id != outer:
            with suppress(Exception):  # of the server; the run is not the active one any more
                mlflow.end_run(status)


@contextmanager
def _alone(run: str, experiment: str) -> Iterator[None]:
    """Inside the run in a worker's process, which evaluates other trials later. The environment
    names the run, so that `start_run()` and bare logging calls both use it.
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
                with _quickly(at_home=False), suppress(Exception):
                    mlflow.MlflowClient().set_terminated(run, status)


def _with_run(returned: Any, run: str) -> Any:
    """What the objective returned, with the run in it, if it is a result."""
    if isinstance(returned, dict):
        return {**returned, RUN_ID: run}
    loss = as_number(returned)
    return returned if loss is None else {"loss": loss, "status": "ok", RUN_ID: run}
