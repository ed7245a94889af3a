# Databricks notebook source
# MAGIC %md
# MAGIC # Failures and time limits
# MAGIC A failed trial does not end the run. Its status tells what happened.
# MAGIC
# MAGIC | the trial | status of the trial | the run |
# MAGIC |---|---|---|
# MAGIC | returns `{"status": "fail"}`, or NaN as its loss | `fail` | continues |
# MAGIC | raises, or returns an invalid result | `error`, with its traceback | continues; with `errors="raise"` it ends with that exception |
# MAGIC | kills its process, for example by running out of memory | `crashed` | continues, on Spark |
# MAGIC | loses its executor, or its connection to Spark | none at first: it is evaluated again, up to `Spark(retries=1)` times; then `crashed` | continues |
# MAGIC | runs longer than `Spark(trial_timeout=600)` seconds | `timeout`; its worker process is killed | continues |
# MAGIC | still runs when the run ends, by a stopping rule or Ctrl-C | `cancelled` | has ended |

# COMMAND ----------

import os
import time
from collections import Counter

from sparktune import Spark, hp, local_session, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 24))

local_session()  # on Databricks and under spark-submit: the existing session


def fragile(configuration):
    kind, x = configuration["kind"], configuration["x"]
    if kind == "raises":
        raise ValueError(f"no model for x = {x:.2f}")
    if kind == "hangs":
        time.sleep(600)
    if kind == "dies":
        os._exit(1)
    if kind == "fails":
        return {"status": "fail", "why": "the solver did not converge"}
    return (x - 1) ** 2


space = {
    "kind": hp.pchoice(
        "kind", [(0.8, "works"), (0.05, "raises"), (0.05, "hangs"), (0.05, "dies"), (0.05, "fails")]
    ),
    "x": hp.uniform("x", -3, 3),
}

# COMMAND ----------

# MAGIC %md
# MAGIC The points of `start=` are evaluated first: one of each kind.

# COMMAND ----------

start = [{"kind": i, "x": 0.5} for i in range(5)]
study = tune(
    fragile,
    space,
    on=Spark(parallelism=4, trial_timeout=10),
    start=start,  # in addition to max_trials
    max_trials=MAX_TRIALS - len(start),
)

print(dict(Counter(trial.status.value for trial in study.trials.values())))
for trial in list(study.trials.values())[:5]:
    print(trial.id, trial.status.value, trial.failure.message if trial.failure else trial.loss)

# COMMAND ----------

# MAGIC %md
# MAGIC `trial.failure` holds the traceback of the objective, and `trial.log` the end of its output
# MAGIC on the worker. The first failure of a run is also logged. If no trial has a usable loss,
# MAGIC `study.best` is None, and `study.best_params` and `fmin` raise `AllTrialsFailed`, whose
# MAGIC message contains the first traceback.
# MAGIC
# MAGIC Python code on a thread cannot be interrupted. With `Threads(4)`, the Spark jobs of a
# MAGIC cancelled trial are cancelled, but its Python code runs to its end, without anybody waiting
# MAGIC for it. With `Serial()`, a timeout takes effect after the current trial.
