# Databricks notebook source
# MAGIC %md
# MAGIC # hyperopt-sklearn on Spark
# MAGIC A program written for hyperopt-sklearn runs once its imports say `sparktune.hpsklearn` and
# MAGIC `sparktune.hyperopt`. What it did not have is `on=`: each trial is a Spark task.

# COMMAND ----------

import os
import warnings

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sparktune import Spark, local_session
from sparktune.hpsklearn import HyperoptEstimator, any_classifier, any_preprocessing, svc
from sparktune.hyperopt import tpe

warnings.simplefilter("ignore")  # that some candidate has not converged is no news
MAX_TRIALS = int(os.environ.get("MAX_EVALS", 40))

local_session()  # on Databricks and under spark-submit: the session that is there

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
# MAGIC The result is a plain pipeline of scikit-learn, and the trials are Hyperopt's. A configuration
# MAGIC that cannot be fitted, or takes too long, is a trial with status "fail".

# COMMAND ----------

print(model.best_estimator_)
print([trial["result"]["status"] for trial in model.trials.trials])

# COMMAND ----------

# MAGIC %md
# MAGIC Every parameter of a component is searched unless it is given. `warm_start=True` continues with
# MAGIC the trials that there are. Without `on=`, trials run in this process.

# COMMAND ----------

one = HyperoptEstimator(classifier=svc("svc", kernel="rbf"), preprocessing=[], max_evals=3, seed=0)
one.fit(X_train, y_train, n_folds=3)
one.fit(X_train, y_train, n_folds=3, warm_start=True)
print(len(one.trials.trials), "trials of a support vector machine; the best loss:", one.best_loss_)

# COMMAND ----------

# MAGIC %md
# MAGIC For packages that import `hpsklearn` themselves, call `install_as_hpsklearn()` of
# MAGIC `sparktune.hpsklearn` before they are imported.
