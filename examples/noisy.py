# Databricks notebook source
# MAGIC %md
# MAGIC # Noisy losses, and what you know beforehand
# MAGIC The loss of a model on a few rows of data is a draw: evaluate it again with another split, and
# MAGIC it is another one. The best of many draws is the luckiest. Here is an objective whose noise is
# MAGIC as large as what there is to gain.

# COMMAND ----------

from math import log

import numpy as np

from sparktune import hp, tune

space = {
    "rate": hp.loguniform("rate", log(1e-5), log(1)),
    "kind": hp.choice("kind", ["linear", "trees"]),
}
rng = np.random.default_rng(0)


def true_loss(config):
    return 0.01 * log(config["rate"] / 1e-3) ** 2 + 0.1 * (config["kind"] == "linear")


def objective(config):
    return true_loss(config) + rng.normal(scale=0.1)


# COMMAND ----------

# MAGIC %md
# MAGIC ## The best points again
# MAGIC `replicate=15`: the last 15 of 60 trials evaluate the points again that may be the best, each
# MAGIC time the one whose loss may be the lowest. `study.best` is the luckiest trial;
# MAGIC `study.recommended` is the one whose loss without noise is likely to be the lowest, by a model of
# MAGIC all losses. Where no noise can be seen they are the same.

# COMMAND ----------

study = tune(objective, space, sampler="auto", max_trials=60, replicate=15, seed=0, progress=False)
for name, trial in (("luckiest", study.best), ("recommended", study.recommended)):
    print(
        f"{name}: trial {trial.id}, observed {trial.loss:.3f}, true {true_loss(study.config(trial)):.3f}"
    )

# COMMAND ----------

# MAGIC %md
# MAGIC An objective that knows how noisy its loss is says so: with `loss_variance`, or with the losses of
# MAGIC its folds. A loss that is told to be noisier than others counts less. How large the noise is
# MAGIC all in all is inferred: what is hard in one fold is hard for all points.

# COMMAND ----------


def folds(config):
    losses = [objective(config) for _ in range(5)]
    return {"status": "ok", "loss": float(np.mean(losses)), "losses": losses}


told = tune(folds, space, sampler="auto", max_trials=20, seed=0, progress=False)
print("recommended from folds:", told.config(told.recommended))

# COMMAND ----------

# MAGIC %md
# MAGIC ## What you know beforehand
# MAGIC `prior` says where good values are likely to be. The first trials are there. It weighs less with
# MAGIC each trial, so that one that is wrong is forgotten.

# COMMAND ----------

prior = {"rate": hp.lognormal("rate", log(1e-3), 1.0)}
informed = tune(
    objective, space, sampler="auto", prior=prior, max_trials=20, seed=0, progress=False
)
print("first rate:", round(informed.config(0)["rate"], 6))
