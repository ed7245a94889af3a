# Databricks notebook source
# MAGIC %md
# MAGIC # hyperopt-sklearn on Spark
# MAGIC A program written for hyperopt-sklearn runs if it imports `sparktune.hpsklearn` and
# MAGIC `sparktune.hyperopt` instead. The option `on=` is new: each trial is a Spark task.

# COMMAND ----------

import os
import warnings

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sparktune import Spark, local_session
from sparktune.hpsklearn import HyperoptEstimator, any_classifier, any_preprocessing, svc
from sparktune.hyperopt import tpe

warnings.simplefilter("ignore")  # some candidates do not converge
MAX_TRIALS = int(os.environ.get("MAX_EVALS", 40))

local_session()  # on Databricks and under spark-submit: the existing session

# COMMAND ----------

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X[:600], y[:600], random_state=0)

model = HyperoptEstimator(
    classifier=any_classifier("mnist"),
    preprocessing=any_preprocessing("pre"),
    algo=tpe.suggest,
    max_evals=MAX_TRIALS,
    trial_timeout=300,
    seed=0,
    verbose=True,
    on=Spark(parallelism=2),
)
model.fit(X_train, y_train)
print("accuracy on new digits:", model.score(X_test, y_test))
print(model.best_model())

# COMMAND ----------

# MAGIC %md
# MAGIC The result is a pipeline of scikit-learn, and the trials have Hyperopt's format. A
# MAGIC configuration that cannot be fitted, or takes too long, is a trial with the status "fail".

# COMMAND ----------

print(model.best_estimator_)
print([trial["result"]["status"] for trial in model.trials.trials])

# COMMAND ----------

# MAGIC %md
# MAGIC All parameters of a component are searched, except those that are given. `warm_start=True`
# MAGIC continues with the existing trials. Without `on=`, trials run in this process.

# COMMAND ----------

one = HyperoptEstimator(classifier=svc("svc", kernel="rbf"), preprocessing=[], max_evals=3, seed=0)
one.fit(X_train, y_train, n_folds=3)
one.fit(X_train, y_train, n_folds=3, warm_start=True)
print(len(one.trials.trials), "trials of a support vector machine; the best loss:", one.best_loss_)

# COMMAND ----------

# MAGIC %md
# MAGIC For packages that import `hpsklearn` themselves, call
# MAGIC `sparktune.hpsklearn.install_as_hpsklearn()` before importing them.
