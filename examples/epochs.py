# Databricks notebook source
# MAGIC %md
# MAGIC # Epochs as a budget
# MAGIC Most bad configurations can be recognised after a few epochs, trees or rows. `ASHA` gives
# MAGIC each configuration a small budget, the best third of them three times as much, and so on.
# MAGIC So only the promising configurations get a full training.
# MAGIC
# MAGIC * The objective gets `budget`, the total number of epochs of the configuration at its
# MAGIC   return.
# MAGIC * The objective may return a `state`, which it gets again as `state` when the configuration
# MAGIC   continues; `None` means: start at 0. A state is any object that can be pickled. It is sent
# MAGIC   to the driver and back; with `checkpoints=` (a folder or a URL to which all workers can
# MAGIC   write) it stays with the workers. If a state is lost, the configuration starts over.
# MAGIC * Every evaluation is a Spark task that ends by itself. No trial is paused, stopped or
# MAGIC   polled, so it works on Spark Classic and Spark Connect, and continues from its journal
# MAGIC   after a crash.

# COMMAND ----------

import os
import warnings
from collections import Counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from sparktune import ASHA, Spark, hp, local_session, tune
from sparktune.stopping import MaxBudget

CONFIGURATIONS = int(os.environ.get("MAX_EVALS", 60))

local_session()  # on Databricks and under spark-submit: the existing session

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)


def network(configuration, budget, state=None):
    model, done = state or (MLPClassifier(**configuration, random_state=0), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(done, budget):
            model.partial_fit(X_train, y_train, classes=np.unique(y))
    return {"loss": 1 - model.score(X_test, y_test), "status": "ok", "state": (model, budget)}


space = {
    "hidden_layer_sizes": hp.choice("layers", [(32,), (64,), (64, 32)]),
    "learning_rate_init": hp.loguniform("learning_rate", np.log(1e-4), np.log(1e-1)),
    "alpha": hp.loguniform("alpha", np.log(1e-6), np.log(1e-1)),
    "batch_size": hp.choice("batch_size", [16, 64, 256]),
}

# COMMAND ----------

# MAGIC %md
# MAGIC `max_trials` is the number of configurations, without promotions. `MaxBudget(20)` would end
# MAGIC the run after the epochs of 20 full trainings.

# COMMAND ----------

scheduler = ASHA(min_budget=1, max_budget=27)
print("epochs:", scheduler.rungs)

study = tune(
    network,
    space,
    scheduler=scheduler,
    on=Spark(2),
    max_trials=CONFIGURATIONS,
    stop=MaxBudget(20),
    seed=0,
)
print(study.best_params)
print("evaluations:", dict(sorted(Counter(t.budget for t in study.trials.values()).items())))
spent = study.history.spent.sum() / scheduler.max_budget
print(f"{spent:.1f} full trainings instead of {CONFIGURATIONS}")

# COMMAND ----------

# MAGIC %md
# MAGIC Sometimes losses at a small budget do not correlate with those at the full one (the first
# MAGIC trees of a boosted model favour large learning rates). Then promotion would select the wrong
# MAGIC configurations. A fifth of the budget therefore goes to random configurations that climb all
# MAGIC rungs (`audit=0.2`), and new configurations start at the lowest rung whose losses correlate.
# MAGIC Until some six full evaluations show that, the result may be worse than that of a random
# MAGIC search. `Hyperband(1, 27)` starts some configurations at each rung instead.
# MAGIC
# MAGIC On two of three tables of real trainings `ASHA` found in 8 full evaluations what the same
# MAGIC algorithm found in 20 to 40 without it. Whoever can pay for more does better without a
# MAGIC scheduler: what is best at a small budget is seldom exactly what is best at the full one.
# MAGIC
# MAGIC ## Rows as a budget
# MAGIC For boosted trees, rows are a better budget than trees. `subset` returns the rows of a
# MAGIC budget: all rows of smaller budgets and additional ones, with the proportions of the
# MAGIC classes. The test rows are the same at every budget. `SparkSearchCV(...,
# MAGIC scheduler=ASHA(...), resource="n_samples")` does the same in a search.

# COMMAND ----------

from sklearn.ensemble import HistGradientBoostingClassifier

from sparktune import subset


def boosted(configuration, budget):
    rows = subset(y_train, budget)
    model = HistGradientBoostingClassifier(**configuration, max_iter=10, random_state=0)
    return 1 - model.fit(X_train[rows], y_train[rows]).score(X_test, y_test)


by_rows = tune(
    boosted,
    {
        "learning_rate": hp.loguniform("learning_rate", np.log(0.01), np.log(1)),
        "max_leaf_nodes": hp.uniformint("max_leaf_nodes", 4, 32),
        "min_samples_leaf": hp.uniformint("min_samples_leaf", 2, 40),
    },
    scheduler=ASHA(min_budget=100, max_budget=len(y_train)),
    on=Spark(2),
    max_trials=9,
    seed=0,
    progress=False,
)
print("rows:", dict(sorted(Counter(t.budget for t in by_rows.trials.values()).items())))
print("error with all rows:", round(by_rows.best.loss, 3))
