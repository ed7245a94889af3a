"""Tracking: the trials of a run as runs of MLflow, a child each, under one parent.

    tune(objective, space, on=Spark(8), max_trials=200, tracking="mlflow")
    tune(..., tracking=MlflowObserver(experiment="/Shared/forest", workers=True))

The study is the truth, and what MLflow holds is a projection of it, which may lag, fail and be made
again: `sparktune track JOURNAL` sends what is missing. The run is neither held up nor ended by it.

observer    the options, and what takes events
sending     the thread that sends, with its patience with servers
projection  what MLflow holds of one study, and what it lacks
names       names, tags, parameters and metrics of trials and studies
client      the calls of MLflow, and nothing else that knows its API
"""

from sparktune.tracking.observer import MlflowObserver, track

__all__ = ["MlflowObserver", "track"]
