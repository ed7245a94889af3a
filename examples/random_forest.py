# Databricks notebook source
# MAGIC %md
# MAGIC # Tune a random forest
# MAGIC This example tunes four parameters of a random forest on scikit-learn's breast cancer data.
# MAGIC The forest is fitted on 80 % of the rows; the loss is the log loss on the other 20 %.

# COMMAND ----------

import os
import time

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sparktune import Serial, Spark, hp, local_session, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 150))

local_session()  # on Databricks and under spark-submit: the existing session

# COMMAND ----------

X, y = load_breast_cancer(return_X_y=True)
X_train, X_valid, y_train, y_valid = train_test_split(
    X, y, test_size=0.2, stratify=y, random_state=0
)

space = {
    "criterion": hp.choice("criterion", ["gini", "entropy"]),
    "n_estimators": hp.uniformint("n_estimators", 50, 150),
    "max_depth": hp.uniformint("max_depth", 2, 16),
    "max_features": hp.uniform("max_features", 0.05, 1.0),
}


def validation_loss(parameters):
    forest = RandomForestClassifier(**parameters, random_state=0).fit(X_train, y_train)
    return log_loss(y_valid, forest.predict_proba(X_valid))


# COMMAND ----------

# MAGIC %md
# MAGIC `Serial()` evaluates the trials in this process, one after the other. `Spark(4)` evaluates
# MAGIC them on the cluster, four at once. Nothing else changes.

# COMMAND ----------

for platform in (Serial(), Spark(parallelism=4)):
    begun = time.perf_counter()
    study = tune(validation_loss, space, on=platform, max_trials=MAX_TRIALS, seed=0)
    seconds = time.perf_counter() - begun
    print(f"{type(platform).__name__}: {len(study.trials)} trials in {seconds:.1f} s")
    print(f"  best loss {study.best.loss:.4f} with {study.best_params}")

print(f"Default parameters: loss {validation_loss({}):.4f}")
