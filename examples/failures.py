# Databricks notebook source
# MAGIC %md
# MAGIC # Failures and time limits
# MAGIC A trial that fails costs one trial, never the run. Its end says what happened.
# MAGIC
# MAGIC | the trial | is recorded as | and the run |
# MAGIC |---|---|---|
# MAGIC | returns `{"status": "fail"}`, or NaN as its loss | `fail` | continues |
# MAGIC | raises, or returns what is not a result | `error`, with its traceback | continues; with `errors="raise"` it ends with that exception |
# MAGIC | kills its process, as when memory runs out | `crashed` | continues, on Spark |
# MAGIC | loses its executor, or its connection to Spark | nothing yet: it is evaluated again, `Spark(retries=1)` times; then `crashed` | continues |
# MAGIC | runs longer than `Spark(trial_timeout=600)` seconds | `timeout`; its worker process is ended | continues |
# MAGIC | still runs when the run ends: a stopping rule, Ctrl-C | `cancelled` | has ended |

# COMMAND ----------

import os
import time
from collections import Counter

from sparktune import Spark, hp, local_session, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 24))

local_session()  # on Databricks and under spark-submit: the session that is there


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
# MAGIC The points of `start=` are tried first: one of each kind.

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
# MAGIC `trial.failure` holds the traceback of the objective, and `trial.log` the end of what it
# MAGIC printed and logged on its worker. The first failure of a run is also logged. Where no trial
# MAGIC has a usable loss, `study.best` is None, and `study.best_params` (and `fmin`) raises
# MAGIC `AllTrialsFailed` with the first traceback in it.
# MAGIC
# MAGIC What cannot be interrupted is given up. With `Threads(4)` the Spark jobs of a cancelled trial
# MAGIC are cancelled, but Python code on a thread runs to its end, and nobody waits for it. With
# MAGIC `Serial()` a timeout takes effect after the current trial.
