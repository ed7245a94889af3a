# Databricks notebook source
# MAGIC %md
# MAGIC # Noisy losses and prior knowledge
# MAGIC The loss of a model on a few rows of data is random: with another split of the data it is
# MAGIC different. The smallest of many random losses is partly luck. The noise of this objective is
# MAGIC as large as the possible improvement.

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
# MAGIC ## Evaluate the best points again
# MAGIC `auto` sees the noise and evaluates promising points again, one in five trials from the 25th
# MAGIC on. With `replicate=15`, the last 15 of 60 trials do nothing else. `study.best` is the trial
# MAGIC with the lowest observed loss. `study.recommended` is a trial that probably has a low loss
# MAGIC without noise, by a model of all losses. Both are the same if no noise is seen.

# COMMAND ----------

study = tune(objective, space, sampler="auto", max_trials=60, replicate=15, seed=0, progress=False)
for name, trial in (("luckiest", study.best), ("recommended", study.recommended)):
    print(
        f"{name}: trial {trial.id}, observed {trial.loss:.3f}, true {true_loss(study.config(trial)):.3f}"
    )

# COMMAND ----------

# MAGIC %md
# MAGIC An objective can report the noise of its loss, with `loss_variance` or with the losses of
# MAGIC its folds. A loss with more noise than others has less weight. The overall size of the noise
# MAGIC is estimated by the model, because a hard fold is hard for all points.

# COMMAND ----------


def folds(config):
    losses = [objective(config) for _ in range(5)]
    return {"status": "ok", "loss": float(np.mean(losses)), "losses": losses}


told = tune(folds, space, sampler="auto", max_trials=20, seed=0, progress=False)
print("recommended from folds:", told.config(told.recommended))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Prior knowledge
# MAGIC `prior` describes where good values are likely to be. The first trials are there. The weight
# MAGIC of the prior decreases with each trial, so that a wrong prior has no lasting effect.

# COMMAND ----------

prior = {"rate": hp.lognormal("rate", log(1e-3), 1.0)}
informed = tune(
    objective, space, sampler="auto", prior=prior, max_trials=20, seed=0, progress=False
)
print("first rate:", round(informed.config(0)["rate"], 6))
