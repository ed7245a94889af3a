"""sparktune: hyperparameter tuning on Apache Spark.

    from sparktune import Spark, hp, tune

    study = tune(lambda x: (x - 3) ** 2, hp.uniform("x", -10, 10), on=Spark(4), max_trials=50)
    print(study.best_params)

Architecture. `tune` (tuning) checks its arguments (options), converts the search space (space), or
the annotations of the objective (annotated), to columns, replays the journal (journal, resume),
opens an executor (executors), and runs the loop (loop). In each step the study (study) asks a
scheduler (schedulers) what to start and a sampler (samplers) for the points, and creates trials
from both (proposals). A sampler may fit a model of the losses (surrogates). The executor evaluates
trials. Their outcomes (outcomes) become events (events), and these update the ledger (ledger): the
records (trial), the columns (history), and the waiting and running trials. Observers (observers,
tracking) receive all events; stopping rules (stopping) end the run. Tables, plots, reports
(reporting), notebooks and the command line take their numbers from one place (results). `fmin`
(minimize) and `Trials` (trials, parallel_trials, saved_trials, documents, limits) are Hyperopt's
interface to the same code. `worker` calls the objective, and `tracked` calls it inside an MLflow
run; both modules are sent to the Spark workers by value.

A module imports only from the rows above its own; modules of one row do not import each other
unless they share a folder. `tests/test_architecture.py` checks this list.

    0  errors, trial, worker, sharing, printable, told_noise, ranks, ends
    1  tracked | space | history | events | arguments | clocks | documents | surrogates | outcomes
    2  samplers | schedulers | stopping | journal | results | ledger | annotated
    3  plots | reporting | tables | proposals
    4  study
    5  executors
    6  loop
    7  observers | resume | budgets | tracking | options
    8  tuning
    9  trials
    10 parallel_trials | saved_trials | limits
    11 minimize
    12 testing | sklearn | cli | standing_in
    13 hyperopt | skopt | search_cv | __main__
    14 hpsklearn

The protocols are defined where they are used: `Executor` and `Transport` in executors, `Sampler`
in samplers, `Scheduler` in schedulers, `Stopper` in stopping, `Observer` in loop.
"""

from typing import TYPE_CHECKING, Any

from sparktune.budgets.samples import subset
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
from sparktune.executors.platforms import Parts, Serial, Spark, Threads
from sparktune.minimize import fmin, space_eval
from sparktune.parallel_trials import SparkTrials, ThreadTrials
from sparktune.samplers import random as rand
from sparktune.samplers import tpe
from sparktune.schedulers import ASHA, Folds, Hyperband
from sparktune.sharing import share
from sparktune.space import hp
from sparktune.space.expression import scope
from sparktune.stopping import no_progress_loss
from sparktune.study import Study
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
from sparktune.tuning import tune

if TYPE_CHECKING:
    from sparktune.executors.spark_session import local_session
    from sparktune.reporting.report import report
    from sparktune.tracking.observer import MlflowObserver

__version__ = "0.1.0"

__all__ = [
    "ASHA",
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
    "Folds",
    "Hyperband",
    "InvalidAnnotatedParameter",
    "InvalidArgument",
    "InvalidLoss",
    "InvalidResult",
    "InvalidResultStatus",
    "MlflowObserver",
    "ObjectiveNotPicklable",
    "Parts",
    "Serial",
    "Spark",
    "SparkTrials",
    "SparkUnavailable",
    "SparktuneError",
    "Study",
    "ThreadTrials",
    "Threads",
    "Trials",
    "fmin",
    "hp",
    "local_session",
    "no_progress_loss",
    "rand",
    "report",
    "scope",
    "share",
    "space_eval",
    "subset",
    "tpe",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name == "local_session":
        from sparktune.executors.spark_session import local_session

        return local_session
    if name == "report":
        from sparktune.reporting.report import report

        return report
    if name == "MlflowObserver":
        from sparktune.tracking.observer import MlflowObserver

        return MlflowObserver
    raise AttributeError(f"module 'sparktune' has no attribute {name!r}")
