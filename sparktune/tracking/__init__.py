"""Tracking: logs a study to MLflow, as a parent run with a child run for each trial.

    tune(objective, space, on=Spark(8), max_trials=200, tracking="mlflow")
    tune(..., tracking=MlflowObserver(experiment="/Shared/forest", workers=True))

The study is the source of truth, and MLflow holds a copy. The copy may lag or be incomplete:
`sparktune track JOURNAL` sends what is missing. Tracking neither delays nor ends a run.

observer    the options, and the observer of one run
sending     the threads that send, retry and give up
rate        the limit of requests to a server with a quota
projection  the runs of one study in MLflow, and the requests that complete them
names       names, tags, parameters and metrics of trials and studies
client      the requests to MLflow; no other module knows its API
"""

from sparktune.tracking.observer import MlflowObserver, track

__all__ = ["MlflowObserver", "track"]
