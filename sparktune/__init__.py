"""sparktune: hyperparameter tuning on Apache Spark.

    from sparktune import SparkTrials, fmin, hp, tpe

    best = fmin(lambda x: (x - 3) ** 2, hp.uniform("x", -10, 10), algo=tpe.suggest, max_evals=50,
                trials=SparkTrials(parallelism=4))

How it is built. `fmin` (minimize) checks its arguments, reads the space as columns (space), and
runs the one loop (loop): the study (study) asks a scheduler (schedulers) how many trials to start
and a sampler (samplers) where, which may fit a model of the losses (surrogates). An executor
(executors) evaluates them, their outcomes become events, and events become records (trial) and
columns (history). Observers (observers) watch; stopping rules (stopping) end it. What came out
(results) is the same in tables, plots, notebooks and the command line. `Trials` (trials,
parallel_trials) is the user's handle on the records. The objective is called by `worker`, which
travels to the Spark workers by value.

A module imports only from the rows above its own; modules of one row do not import each other
unless they share a folder. `tests/test_architecture.py` holds this list to the code.

    0  errors, trial, worker, sharing, printable
    1  space | history | arguments | documents | surrogates
    2  samplers | schedulers | stopping | journal | results
    3  study
    4  executors
    5  loop
    6  observers | trials
    7  parallel_trials | resume | plots
    8  minimize
    9  testing | search_cv | cli
    10 hyperopt | __main__

A seam's protocol stands where it is used: `Executor` and `Transport` in trial, `Sampler` in
samplers, `Scheduler` in schedulers, `Stopper` in stopping, `Observer` in loop.
"""

from typing import TYPE_CHECKING, Any

from sparktune.errors import (
    AllTrialsFailed,
    BadSearchSpace,
    DuplicateLabel,
    InvalidAnnotatedParameter,
    InvalidArgument,
    InvalidLoss,
    InvalidResult,
    InvalidResultStatus,
    ObjectiveNotPicklable,
    SparktuneError,
    SparkUnavailable,
)
from sparktune.minimize import fmin, space_eval
from sparktune.parallel_trials import SparkTrials, ThreadTrials
from sparktune.samplers import random as rand
from sparktune.samplers import tpe
from sparktune.sharing import share
from sparktune.space import hp
from sparktune.space.expression import scope
from sparktune.stopping import no_progress_loss
from sparktune.trial import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_SUSPENDED,
)
from sparktune.trials import Trials

if TYPE_CHECKING:
    from sparktune.executors.spark_session import local_session

__version__ = "0.1.0"

__all__ = [
    "JOB_STATE_CANCEL",
    "JOB_STATE_DONE",
    "JOB_STATE_ERROR",
    "JOB_STATE_NEW",
    "JOB_STATE_RUNNING",
    "STATUS_FAIL",
    "STATUS_NEW",
    "STATUS_OK",
    "STATUS_RUNNING",
    "STATUS_SUSPENDED",
    "AllTrialsFailed",
    "BadSearchSpace",
    "DuplicateLabel",
    "InvalidAnnotatedParameter",
    "InvalidArgument",
    "InvalidLoss",
    "InvalidResult",
    "InvalidResultStatus",
    "ObjectiveNotPicklable",
    "SparkTrials",
    "SparkUnavailable",
    "SparktuneError",
    "ThreadTrials",
    "Trials",
    "fmin",
    "hp",
    "local_session",
    "no_progress_loss",
    "rand",
    "scope",
    "share",
    "space_eval",
    "tpe",
]


def __getattr__(name: str) -> Any:
    if name == "local_session":
        from sparktune.executors.spark_session import local_session

        return local_session
    raise AttributeError(f"module 'sparktune' has no attribute {name!r}")
