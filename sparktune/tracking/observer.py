"""`MlflowObserver`, the options of tracking, and `track`, which sends a study afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from sparktune import tracked
from sparktune.arguments import positive, whole
from sparktune.errors import InvalidArgument
from sparktune.events import Asked, Begun, Enqueued, Event, Stopped, Told
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.results.finished import Finished, Snapshot
from sparktune.results.packages import require
from sparktune.study import Study
from sparktune.tracking.client import Client, Here
from sparktune.tracking.projection import Projection
from sparktune.tracking.sending import Sender
from sparktune.trial import Header, Trial

_PARENT = 10.0  # seconds that the first trials with workers=True wait for the parent run
_LATER = "send them with: sparktune track"
_UNKEPT = "save the study with study.save(PATH), and send them with: sparktune track PATH"


@dataclass(frozen=True)
class MlflowObserver:
    """Logs a run to MLflow: a parent run for the study, a child run for each trial.

        tune(objective, space, max_trials=200, tracking="mlflow")
        tune(objective, space, max_trials=200, tracking=MlflowObserver(experiment="/Shared/forest"))

    The parent is the active run, which stays open, or a new run if none is active. A child has the
    parameters of its trial, and as metrics the loss, the duration in seconds and every other finite
    number of the result. Its status is FINISHED, FAILED or KILLED. The parent has the best loss so
    far and the counts of trials as metrics, and at the end the report, the table of trials and the
    best trial as artifacts.

    A background thread sends. Trials do not wait for it, and no failure of the server ends the run.
    `sparktune track JOURNAL` sends what is missing at the end, and a run that continues finds its
    children again.

    Args:
        experiment: its name; it is created if there is none. None: the experiment in use.
        run_name: of a new parent run; None: the name of the objective.
        tracking_uri: of the server; None: the one in use.
        children: number of trials with a run of their own. Later trials get one only if they
            improve the best loss; the table and the report contain all.
        rate: trials per second that are sent to Databricks (three requests each), after the first
            50. A workspace allows 47 batches per second for all its users together.
        patience: largest number of seconds for which the end of the run waits until everything is
            sent. Sending continues afterwards while the program runs.
        workers: whether the trial's run is the active run while the objective is called, so that
            its own MLflow calls and autologging log to this run. Workers then need MLflow and
            access to the server, and each trial makes one more request before the objective is
            called. If an objective fits several models with autologging, wrap its body in
            `with mlflow.start_run():`.
        env: environment variables for workers, such as credentials; they are sent with the
            objective.

    Raises:
        ImportError: mlflow is not installed; the message says how to install it.
        InvalidArgument: an option is out of range.
    """

    experiment: str | None = None
    run_name: str | None = None
    tracking_uri: str | None = None
    children: int = 1000
    rate: float = 10.0
    patience: float = 60.0
    workers: bool = False
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        require("mlflow", "tracking", "mlflow", "mlflow")
        whole("children", self.children, 0)
        positive("rate", self.rate)
        if not (isinstance(self.patience, (int, float)) and self.patience >= 0):
            raise InvalidArgument(f"patience must be seconds >= 0, got {self.patience!r}")
        for name in ("experiment", "run_name", "tracking_uri"):
            value = getattr(self, name)
            if not (value is None or (isinstance(value, str) and value)):
                raise InvalidArgument(f"{name} must be a string or None, got {value!r}")
        if not all(isinstance(each, str) for pair in dict(self.env).items() for each in pair):
            raise InvalidArgument("env must be a dict {name: value} of strings")

    def open(self, study: Study, parallelism: int | str, journal: Any = None) -> Tracking:
        """The observer of one run of a study. Call this in the thread that begins the run."""
        about = {"algo": type(study.sampler).__name__, "parallelism": parallelism}
        return Tracking(self, study, about | {"journal": journal})


def tracker_of(tracking: Any) -> MlflowObserver:
    """The options for the argument `tracking`.

    Raises:
        ImportError: mlflow is not installed; the message says how to install it.
        InvalidArgument: it is neither "mlflow" nor options.
    """
    if tracking == "mlflow":
        return MlflowObserver()
    if not isinstance(tracking, MlflowObserver):
        raise InvalidArgument(
            f"tracking must be 'mlflow', MlflowObserver(...) or None, got {tracking!r}"
        )
    return tracking


class Tracking:
    """The observer of one run.

    Args:
        options: how to track.
        study: the study, which changes during the run.
        about: more parameters of the parent run.
    """

    def __init__(self, options: MlflowObserver, study: Finished, about: Mapping[str, Any]) -> None:
        self._options = options
        self._study = study
        self._about = about
        self._here = Here.now()
        self._sender: Sender | None = None

    def __call__(self, event: Event, history: View) -> None:
        """Handle an event. Only the last event may wait, for up to `patience` seconds."""
        match event:
            case Begun(header, limit) if limit is not None:
                snapshot = Snapshot.of(self._study, header)
                about = {**self._about, "max_evals": limit.max_evals}
                self._sender = _sender(self._options, self._here, header, snapshot, about)
            case Stopped(reason) if self._sender:
                self._sender.stop(reason, self._options.patience)
            case Enqueued(trial) | Asked(trial) | Told(trial) if self._sender:
                self._sender.tell(trial)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait after the end of the run until everything is sent; return whether it is.

        Args:
            seconds: the longest wait; None: no limit.
        """
        return self._sender is None or self._sender.wait(seconds)

    def task(self, task: Task) -> Task:
        """The task. With `workers=True` it evaluates each trial inside the run of the trial."""
        if not self._options.workers:
            return task

        until = cache(lambda: time.monotonic() + _PARENT)

        def configure(trial: Trial) -> Any:
            patience = max(until() - time.monotonic(), 0.0)
            place = self._sender.place(trial, patience) if self._sender else None
            return task.configure(trial), place

        home = tracked.home_of(self._options.env)
        return replace(
            task, objective=partial(tracked.evaluate, task.objective, home), configure=configure
        )


def track(
    study: Finished,
    options: MlflowObserver | None = None,
    *,
    journal: str | None = None,
) -> bool:
    """Send the parts of an ended or interrupted study that MLflow does not have yet; return whether
    it now has all.

    Args:
        study: a `Study`, or `Trials`.
        options: its `patience` is the number of seconds to try; None: `MlflowObserver()`.
        journal: the path of the study's journal, for messages.

    Raises:
        InvalidArgument: the study has not begun.
    """
    if study.header is None:
        raise InvalidArgument("a study that has not begun cannot be tracked; run it first")
    options = MlflowObserver() if options is None else options
    snapshot = Snapshot.of(study, study.header)
    sender = _sender(options, Here.now(), study.header, snapshot, {"journal": journal})
    return sender.stop(study.stop_reason, options.patience)


def _sender(
    options: MlflowObserver, here: Here, header: Header, study: Snapshot, about: Mapping[str, Any]
) -> Sender:
    journal = about.get("journal")
    again = f"{_LATER} {journal}" if journal else _UNKEPT
    connect = partial(Client, options.tracking_uri, options.experiment, here)
    projection = Projection(connect, header, about, here.run, options.run_name, options.workers)
    return Sender(projection, study, options.children, options.rate, again)
