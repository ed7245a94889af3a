"""What a test keeps on a server of MLflow, which is imported by tests that run: each process of
`pytest -n 3` reads all files, and MLflow takes seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from sparktune import MlflowObserver

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Server:
    """A server of MLflow, and what a test keeps there."""

    uri: str
    experiment: str

    def observer(self, **options: Any) -> MlflowObserver:
        """Options of tracking that lead there; a busy machine has time to send."""
        given: dict[str, Any] = {
            "experiment": self.experiment,
            "tracking_uri": self.uri,
            "patience": 300,
        }
        return MlflowObserver(**(given | options))

    def mode(self, mode: str) -> None:
        """How the server answers from now on; counts start over."""
        self._ask(f"mode/{mode}")

    def requests(self) -> dict[str, int]:
        """How many requests there were of each kind."""
        return self._ask("requests")

    def _ask(self, path: str) -> Any:
        with urlopen(f"{self.uri}/-/{path}", timeout=300) as answer:
            return json.load(answer)

    @property
    def client(self) -> MlflowClient:
        """A client."""
        from mlflow import MlflowClient

        return MlflowClient(self.uri)

    def runs(self) -> list[Any]:
        """All runs of the experiment, oldest first."""
        found = self.client.get_experiment_by_name(self.experiment)
        if found is None:
            return []
        runs = self.client.search_runs([found.experiment_id], max_results=1000)
        return sorted(runs, key=lambda run: run.info.start_time)

    def children(self) -> dict[int, Any]:
        """The runs of trials, by trial; there must be one each."""
        runs = [run for run in self.runs() if "sparktune.trial" in run.data.tags]
        found = {int(run.data.tags["sparktune.trial"]): run for run in runs}
        assert len(found) == len(runs), "a trial has several runs"
        return found

    def parents(self) -> list[Any]:
        """The other runs."""
        return [run for run in self.runs() if "sparktune.trial" not in run.data.tags]
