# Databricks notebook source
# MAGIC %md
# MAGIC # Spark and clusters
# MAGIC `on=Spark(...)` evaluates every trial as a Spark task. The same line works on Spark Classic and
# MAGIC on Spark Connect; it takes the active session, or the one given as `session=`.
# MAGIC
# MAGIC ## In a Databricks notebook
# MAGIC `%pip install /Workspace/path/to/sparktune` brings numpy, scipy and tqdm and leaves the
# MAGIC cluster's own pyspark alone; only the extras `spark`, `all` and `dev` bring pyspark, for machines
# MAGIC without one. Clusters in dedicated access mode have a classic session; standard access mode and
# MAGIC serverless have Spark Connect.
# MAGIC
# MAGIC ## With spark-submit
# MAGIC `SPARK_CONF_DIR=conf spark-submit --master 'local[4]' examples/clusters.py`: `conf/` holds
# MAGIC settings for one machine, each with its reason, and a log configuration that shows errors only.
# MAGIC Leave it out on a cluster. The workers need the packages that your objective imports, and
# MAGIC neither sparktune nor its dependencies. Set `PYSPARK_PYTHON` to the interpreter of the workers.
# MAGIC
# MAGIC ## With Spark Connect
# MAGIC `SparkSession.builder.remote("sc://host:15002").getOrCreate()` first; the extra `connect` brings
# MAGIC what the client needs. The objective and its data travel as artifacts of the session, and Spark
# MAGIC removes them when the session ends. A server that does not answer for a minute, or a session
# MAGIC that has expired, ends the run with an error, and the trials that have ended are kept. With
# MAGIC pyspark 3.5 Spark does not tell when a waiting trial starts, so none is kept waiting in Spark's
# MAGIC queue, and `resource_profile` needs 4.0.

# MAGIC
# MAGIC ## Short trials
# MAGIC A Spark job costs 25 to 60 ms, whatever it does. Where trials are shorter than that, several
# MAGIC share a job by themselves: sparktune measures how long they take, and makes jobs of about 0.3
# MAGIC seconds. Each trial still has its own objective, log, times, status and time limit, and a crash
# MAGIC or a lost executor costs the trials of its job no more than a second evaluation.
# MAGIC
# MAGIC Suggestions are then made further ahead. With four slots and five trials in each job they are as
# MAGIC good as those of twenty workers: a little worse than one after the other. `Spark(batch=1)` gives each
# MAGIC trial a job of its own, and `Spark(batch=20)` makes jobs of twenty.

# COMMAND ----------

import os

import numpy as np

from sparktune import Spark, hp, local_session, share, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 20))

local_session()  # Spark on this machine, or the session that is there already

# COMMAND ----------

# MAGIC %md
# MAGIC ## Large data
# MAGIC What the objective refers to travels with it, once in a run. Each trial loads it anew, without
# MAGIC copying what is large: the memory of numpy arrays, data frames and sparse matrices is one file
# MAGIC on each machine, and a trial that writes to it gets copies of the pages that it writes to. So
# MAGIC what one trial changes is not seen by the next.
# MAGIC
# MAGIC `share(obj)` is the opposite on purpose: a handle on one object for all trials of a worker
# MAGIC process. It is for what takes long to load, for objects that several objectives use, and for
# MAGIC those that the space holds.
# MAGIC
# MAGIC Broadcast variables work too, on classic sessions, wherever the objective refers to them. So do
# MAGIC accumulators: each trial that is evaluated to its end counts.
# MAGIC
# MAGIC Objectives share the process of a Spark worker with earlier trials. What one does to the
# MAGIC standard streams, the working directory, `os.environ`, signal handlers, timers, warnings, the
# MAGIC default timeout of sockets or the recursion limit is put back after it, and the global
# MAGIC generators of `random` and numpy are seeded anew. What it does to modules (their variables,
# MAGIC caches, loggers and settings), threads that it starts, files that it opens and limits of the
# MAGIC operating system stay.

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
# MAGIC ## How many at once
# MAGIC - `Spark()` uses as many slots as the cluster has, also those that come while it runs; where
# MAGIC   Spark allocates executors dynamically, it keeps asking for a quarter more.
# MAGIC - More parallelism is not always better: a suggestion knows only the trials that have ended, so
# MAGIC   keep it well below `max_trials`.
# MAGIC - An objective that uses several cores should have as many: set `spark.task.cpus`, or on a
# MAGIC   cluster give `resource_profile=`. Spark limits the threads of numpy and the like to that
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
# MAGIC A test that takes `spark` can then call `tune(..., on=Spark(parallelism=2))`, or hand the
# MAGIC session over with `Spark(parallelism=2, session=spark)`.
