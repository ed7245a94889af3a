# Databricks notebook source
# MAGIC %md
# MAGIC # Spark and clusters
# MAGIC `on=Spark(...)` evaluates every trial as a Spark task. The same line works on Spark Classic
# MAGIC and on Spark Connect. It uses the active session, or the one given as `session=`.
# MAGIC
# MAGIC ## In a Databricks notebook
# MAGIC `%pip install /Workspace/path/to/sparktune` installs numpy, scipy and tqdm, and does not
# MAGIC change the pyspark of the cluster. Only the extras `spark`, `all` and `dev` install pyspark,
# MAGIC for machines without it. Clusters in dedicated access mode have a classic session; standard
# MAGIC access mode and serverless have Spark Connect.
# MAGIC
# MAGIC ## With spark-submit
# MAGIC `SPARK_CONF_DIR=conf spark-submit --master 'local[4]' examples/clusters.py`: `conf/`
# MAGIC contains commented settings for one machine, and a log configuration that only shows errors.
# MAGIC Leave out `SPARK_CONF_DIR` on a cluster. The workers need the packages that your objective
# MAGIC imports, but neither sparktune nor its dependencies. Set `PYSPARK_PYTHON` to the interpreter
# MAGIC of the workers.
# MAGIC
# MAGIC ## With Spark Connect
# MAGIC Call `SparkSession.builder.remote("sc://host:15002").getOrCreate()` first. The extra
# MAGIC `connect` installs the packages of the client. The objective and its data are sent as
# MAGIC artifacts of the session, which Spark removes when the session ends. If the server does not
# MAGIC answer for a minute, or the session has expired, the run ends with an error, and finished
# MAGIC trials are kept. pyspark 3.5 does not report when a waiting trial starts, so sparktune keeps
# MAGIC no trial in Spark's queue there, and `resource_profile` needs 4.0.

# MAGIC
# MAGIC ## Short trials
# MAGIC A Spark job has a fixed cost of 25 to 60 ms. Trials that are shorter than that share jobs
# MAGIC automatically: sparktune measures their duration, and creates jobs of about 0.3 seconds.
# MAGIC Each trial still has its own objective, log, times, status and time limit. After a crash or
# MAGIC the loss of an executor, the trials of the job are evaluated at most once more.
# MAGIC
# MAGIC Suggestions are then made further ahead. With four slots and five trials in each job they
# MAGIC are as good as with twenty workers: a little worse than one after the other.
# MAGIC `Spark(batch=1)` uses a job for each trial, and `Spark(batch=20)` creates jobs of twenty.

# COMMAND ----------

import os

import numpy as np

from sparktune import Spark, hp, local_session, share, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 20))

local_session()  # Spark on this machine, or the existing session

# COMMAND ----------

# MAGIC %md
# MAGIC ## Large data
# MAGIC The objective is sent to the cluster with all objects that it uses, once per run. Each trial
# MAGIC unpickles them again, but large memory is not copied: the memory of numpy arrays, data
# MAGIC frames and sparse matrices is one file on each machine, and a trial that writes to it gets
# MAGIC copies of the pages to which it writes. So no trial sees the changes of another.
# MAGIC
# MAGIC `share(obj)` deliberately does the opposite: it returns a handle to one object for all
# MAGIC trials of a worker process. Use it for objects that take long to load, for objects that
# MAGIC several objectives use, and for objects in the space.
# MAGIC
# MAGIC On classic sessions, the objective can also use broadcast variables and accumulators. Each
# MAGIC trial that is evaluated to its end counts for accumulators.
# MAGIC
# MAGIC Trials share the process of a Spark worker. After each trial, its changes to the following
# MAGIC are undone: standard streams, working directory, `os.environ`, signal handlers, timers,
# MAGIC warnings, default timeout of sockets, recursion limit. The global generators of `random` and
# MAGIC numpy get a new seed. Changes to modules (variables, caches, loggers, settings), started
# MAGIC threads, open files and limits of the operating system persist.

# COMMAND ----------

rng = np.random.default_rng(0)
X = rng.normal(size=(20_000, 8))
y = X @ np.arange(8.0) + rng.normal(size=20_000)
data = share((X, y))


def ridge(configuration):
    X, y = data.value
    train, test = slice(0, 15_000), slice(15_000, None)
    penalty = configuration["penalty"] * np.eye(X.shape[1])
    weights = np.linalg.solve(X[train].T @ X[train] + penalty, X[train].T @ y[train])
    return float(np.mean((X[test] @ weights - y[test]) ** 2))


space = {"penalty": hp.loguniform("penalty", -5, 10)}
study = tune(ridge, space, on=Spark(parallelism=4), max_trials=MAX_TRIALS, seed=0)
print(f"mean squared error {study.best.loss:.3f} with {study.best_params}")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Parallelism
# MAGIC - `Spark()` uses all slots of the cluster, including slots that are added during the run.
# MAGIC   With dynamic allocation of executors, it keeps requesting a quarter more.
# MAGIC - More parallelism is not always better: a suggestion only uses the results of trials that
# MAGIC   have ended, so keep the parallelism well below `max_trials`.
# MAGIC - If an objective uses several cores, set `spark.task.cpus` to their number, or on a cluster
# MAGIC   give `resource_profile=`. Spark limits the threads of numpy and similar packages to that
# MAGIC   number (`OMP_NUM_THREADS`).
# MAGIC
# MAGIC ## In the tests of your own project
# MAGIC ```python
# MAGIC # conftest.py
# MAGIC import pytest
# MAGIC
# MAGIC from sparktune import local_session
# MAGIC
# MAGIC
# MAGIC @pytest.fixture(scope="session")
# MAGIC def spark():
# MAGIC     session = local_session(cores=2)
# MAGIC     yield session
# MAGIC     session.stop()
# MAGIC ```
# MAGIC A test with the argument `spark` can then call `tune(..., on=Spark(parallelism=2))`, or pass
# MAGIC the session with `Spark(parallelism=2, session=spark)`.
