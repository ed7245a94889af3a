# Databricks notebook source
# MAGIC %md
# MAGIC # Choose between two families of models
# MAGIC Each option of a choice has its own parameters, which exist only if it is chosen. With
# MAGIC `pchoice` the options have probabilities: a support vector machine probably is the better
# MAGIC model here, so it is tried more often at first.

# COMMAND ----------

import os
from collections import Counter
from math import log

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sparktune import Spark, hp, local_session, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 100))

local_session()  # on Databricks and under spark-submit: the existing session

# COMMAND ----------

X, y = load_breast_cancer(return_X_y=True)

svm = {
    "C": hp.loguniform("C", log(0.001), log(1)),
    "penalty": hp.choice("penalty", ["l1", "l2"]),
    "loss": hp.choice("loss", ["hinge", "squared_hinge"]),
    "max_iter": 10_000,
    "random_state": 0,
}
neighbours = {
    "n_neighbors": hp.uniformint("n_neighbors", 1, 50),
    "weights": hp.choice("weights", ["uniform", "distance"]),
}
space = hp.pchoice("family", [(0.6, (LinearSVC, svm)), (0.4, (KNeighborsClassifier, neighbours))])

# COMMAND ----------

# MAGIC %md
# MAGIC `LinearSVC` does not support the l1 penalty with the hinge loss and raises a `ValueError`.
# MAGIC In that case the objective returns the status "fail". All other keys of a result are kept
# MAGIC with its trial.

# COMMAND ----------


def cross_validated(configuration):
    family, parameters = configuration
    model = make_pipeline(StandardScaler(), family(**parameters))
    try:
        scores = cross_val_score(model, X, y, cv=5, error_score="raise")
    except ValueError as error:
        return {"status": "fail", "family": family.__name__, "why": str(error)}
    loss = 1 - scores.mean()
    return {"status": "ok", "family": family.__name__, "loss": loss, "std": scores.std()}


study = tune(cross_validated, space, on=Spark(parallelism=4), max_trials=MAX_TRIALS, seed=0)

# COMMAND ----------

best = study.best
family, parameters = study.config(best)
print(f"Best: {family.__name__} with {parameters}")
print(f"  error {best.loss:.4f}, standard deviation over the folds {best.result['std']:.4f}")

for family in ("LinearSVC", "KNeighborsClassifier"):
    trials = [t for t in study.trials.values() if t.result and t.result["family"] == family]
    losses = [trial.loss for trial in trials if trial.loss is not None]
    failed = len(trials) - len(losses)
    print(f"{family}: {len(trials)} trials, {failed} failed, best error {min(losses):.4f}")

reasons = [t.result["why"] for t in study.trials.values() if t.result and "why" in t.result]
print(Counter(reasons))
