# Databricks notebook source
# MAGIC %md
# MAGIC # Choose between two families of models
# MAGIC Each option of a choice brings parameters of its own, which exist only where it is chosen.
# MAGIC With `pchoice` the options have probabilities: here a support vector machine is tried first
# MAGIC more often than nearest neighbours.

# COMMAND ----------

import os
from collections import Counter
from math import log

from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sparktune import (
    STATUS_FAIL,
    STATUS_OK,
    SparkTrials,
    fmin,
    hp,
    local_session,
    space_eval,
    tpe,
)

MAX_EVALS = int(os.environ.get("MAX_EVALS", 100))

local_session()  # on Databricks and under spark-submit: the session that is there

# COMMAND ----------

X, y = load_wine(return_X_y=True)

svm = {
    "C": hp.loguniform("C", log(0.001), log(10)),
    "penalty": hp.choice("penalty", ["l1", "l2"]),
    "loss": hp.choice("loss", ["hinge", "squared_hinge"]),
}
neighbours = {
    "n_neighbors": hp.uniformint("n_neighbors", 1, 50),
    "weights": hp.choice("weights", ["uniform", "distance"]),
}
space = hp.pchoice("family", [(0.6, (LinearSVC, svm)), (0.4, (KNeighborsClassifier, neighbours))])

# COMMAND ----------

# MAGIC %md
# MAGIC `LinearSVC` knows no l1 penalty with hinge loss and raises a `ValueError`. The objective says
# MAGIC so with `STATUS_FAIL`, and why; whatever else a result holds is kept with its trial.

# COMMAND ----------


def cross_validated(configuration):
    family, parameters = configuration
    model = make_pipeline(StandardScaler(), family(**parameters))
    try:
        scores = cross_val_score(model, X, y, cv=5, error_score="raise")
    except ValueError as error:
        return {"status": STATUS_FAIL, "family": family.__name__, "why": str(error)}
    loss = 1 - scores.mean()
    return {"status": STATUS_OK, "family": family.__name__, "loss": loss, "std": scores.std()}


trials = SparkTrials(parallelism=4)
best = fmin(cross_validated, space, tpe.suggest, MAX_EVALS, trials=trials, seed=0)

# COMMAND ----------

family, parameters = space_eval(space, best)
result = trials.best_trial["result"]
print(f"Best: {family.__name__} with {parameters}, error {result['loss']:.4f} ± {result['std']:.4f}")

for (family, status), count in sorted(Counter((r["family"], r["status"]) for r in trials.results).items()):
    losses = [r["loss"] for r in trials.results if r["family"] == family and r["status"] == STATUS_OK]
    print(family, status, count, min(losses, default=None))
