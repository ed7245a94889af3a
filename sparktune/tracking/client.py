"""The requests that tracking makes to MLflow. No other module knows its API."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_PARAMS, _METRICS = 100, 1000  # largest numbers in one request
# Requests fail soon, and MLflow does not repeat them, because the sender decides when to retry.
_QUICKLY = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT": "20",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_setting = threading.Lock()
_users: list[dict[str, str | None]] = []


@dataclass(frozen=True)
class Here:
    """The context of the user's thread: the active run, its experiment and the tags of a notebook;
    None for each that does not exist.
    """

    run: str | None = None
    experiment: str | None = None
    tags: Mapping[str, str] | None = None

    @staticmethod
    def now() -> Here:
        """The context of this thread. A program that has not imported MLflow has no active run.
        Then only the sender imports it, except in a notebook of Databricks.
        """
        by_name = os.environ.get("MLFLOW_RUN_ID")
        if "mlflow" not in sys.modules and "DATABRICKS_RUNTIME_VERSION" not in os.environ:
            return Here(by_name)
        import mlflow
        from mlflow.tracking import fluent

        if active := mlflow.active_run():
            return Here(active.info.run_id, active.info.experiment_id, _context())
        asks = "MLFLOW_EXPERIMENT_NAME" in os.environ and not fluent._active_experiment_id
        return Here(by_name, None if asks else fluent._get_experiment_id(), _context())


def _context() -> dict[str, str]:
    """The tags that MLflow gives to every run: user, source, notebook."""
    from mlflow.tracking.context import registry

    return dict(registry.resolve_tags())


@dataclass(frozen=True)
class Run:
    """A run on the server."""

    id: str
    experiment: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


class Client:
    """Requests to one server. They raise MLflow's exceptions; see `refused`."""

    def __init__(self, uri: str | None, experiment: str | None, here: Here) -> None:
        import mlflow

        self.uri = uri or mlflow.get_tracking_uri()
        self._client = mlflow.MlflowClient(self.uri)
        if self.limited:  # ask for credentials now: MLflow would report missing ones as status 500
            from mlflow.utils.databricks_utils import get_databricks_host_creds

            get_databricks_host_creds(self.uri)
        self._name = experiment
        self._here = here
        self.context = dict(_context() if here.tags is None else here.tags)

    @property
    def remote(self) -> bool:
        """Whether runs go to a server, and not to a file."""
        return not self.uri.startswith(("file:", "sqlite:", "/", "."))

    @property
    def limited(self) -> bool:
        """Whether all users share a quota of requests per second."""
        return self.uri.startswith("databricks")

    def experiment(self) -> str:
        """The id of the experiment, which is created if it does not exist."""
        name = self._name
        if name is None and self._here.experiment is not None:
            return self._here.experiment
        if name is None:
            from mlflow.tracking import fluent

            return str(fluent._get_experiment_id())
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    def create(
        self, experiment: str, name: str | None, started: float | None, tags: Mapping[str, str]
    ) -> str:
        """Create a run; returns its id."""
        return str(
            self._client.create_run(
                experiment,
                start_time=None if started is None else int(started * 1000),
                tags={**self.context, **tags},
                run_name=name,
            ).info.run_id
        )

    def get(self, run: str) -> Run:
        """A run."""
        return _run(self._client.get_run(run))

    def find(self, experiment: str, tag: str, value: str) -> Iterator[Run]:
        """The runs with this tag."""
        token = None
        while True:
            page = self._client.search_runs(
                [experiment], f"tags.`{tag}` = '{value}'", max_results=1000, page_token=token
            )
            yield from map(_run, page)
            token = page.token
            if not token:
                return

    def log(
        self,
        run: str,
        params: Mapping[str, str] | None = None,
        metrics: Sequence[tuple[str, float, float, int]] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add to a run, with several requests if one is too small. Metrics are (key, value, seconds
        since the epoch, step).
        """
        from mlflow.entities import Metric, Param, RunTag

        all_params = [Param(k, v) for k, v in (params or {}).items()]
        all_tags = [RunTag(k, v) for k, v in (tags or {}).items()]
        all_metrics = [Metric(k, v, int(at * 1000), step) for k, v, at, step in metrics]
        first = True
        while first or all_params or all_metrics:
            self._client.log_batch(
                run,
                metrics=all_metrics[: _METRICS - 200],
                params=all_params[:_PARAMS],
                tags=all_tags,
                synchronous=True,
            )
            first, all_tags = False, []
            all_params, all_metrics = all_params[_PARAMS:], all_metrics[_METRICS - 200 :]

    def begin(self, run: str) -> None:
        """Mark a run as running."""
        self._client.update_run(run, status="RUNNING")

    def end(self, run: str, status: str, finished: float | None) -> None:
        """End a run."""
        self._client.set_terminated(run, status, None if finished is None else int(finished * 1000))

    def delete(self, run: str) -> None:
        """Delete a run, which MLflow can restore."""
        self._client.delete_run(run)

    def write(self, run: str, text: str, path: str) -> None:
        """Store a text as an artifact."""
        self._client.log_text(run, text, path)


def _run(run: Any) -> Run:
    info, data = run.info, run.data
    return Run(info.run_id, info.experiment_id, info.status, data.tags, data.params, data.metrics)


def refused(error: Exception) -> bool:
    """Whether the server rejected the request itself, so that a retry is useless. Other failures
    may be temporary.
    """
    code = getattr(error, "get_http_status_code", None)
    return code is not None and code() in (400, 404, 409, 413)


def hopeless(error: Exception) -> bool:
    """Whether the server rejects the whole study, for example because its experiment was deleted or
    the credentials are invalid.
    """
    code = getattr(error, "get_http_status_code", None)
    return refused(error) or (code is not None and code() in (401, 403))


def certain(error: Exception) -> bool:
    """Whether a failed request certainly changed nothing on the server."""
    code = getattr(error, "get_http_status_code", None)
    return code is not None and (code() in (401, 403, 429) or code() < 429)


@contextmanager
def quickly() -> Iterator[None]:
    """A context in which requests fail soon and MLflow prints nothing. If several contexts overlap,
    the end of the last one restores the settings.
    """
    with _setting:
        _users.append({key: os.environ.get(key) for key in _QUICKLY})
        os.environ.update(_QUICKLY)
    try:
        yield
    finally:
        with _setting:
            before = _users.pop()
            if not _users:
                for key, value in before.items():
                    if value is None:
                        os.environ.pop(key, None)
                    else:
                        os.environ[key] = value
