# Databricks notebook source
# MAGIC %md
# MAGIC # Ask and tell
# MAGIC
# MAGIC A `Study` proposes points and learns from their results. You decide where to evaluate them:
# MAGIC on your own cluster, in a laboratory, with another program. This example does not need
# MAGIC Spark.

# COMMAND ----------

import math
import tempfile
from pathlib import Path

from sparktune import Study, hp

space = {
    "temperature": hp.uniform("temperature", 20, 90),  # degrees
    "minutes": hp.uniformint("minutes", 1, 30),
    "catalyst": hp.choice("catalyst", ["none", "acid", "base"]),
}


def experiment(temperature, minutes, catalyst):
    """The share of the substance that is lost; in reality, an experiment in a laboratory."""
    speed = {"none": 0.02, "acid": 0.05, "base": 0.04}[catalyst] * math.exp(temperature / 40)
    decay = 0.002 * math.exp(temperature / 25)
    return 1 - (1 - math.exp(-speed * minutes)) * math.exp(-decay * minutes)


# COMMAND ----------

# MAGIC %md
# MAGIC `ask` returns trials, and `config` returns the configuration of a trial. You can ask for
# MAGIC more while trials run: their points are different. `tell` takes the loss, a dict with the
# MAGIC loss and other values, or an exception.

# COMMAND ----------

study = Study(space, seed=0)
study.enqueue({"temperature": 50.0, "minutes": 10, "catalyst": 1})  # the current procedure

for _ in range(10):
    for trial in study.ask(4):  # four reactors
        config = study.config(trial)
        if config["temperature"] > 80:
            study.tell(trial, RuntimeError("the lid came off"))
        else:
            study.tell(trial, experiment(**config))

print(study)

# COMMAND ----------

# MAGIC %md
# MAGIC Results of points that the study did not suggest can be added too.

# COMMAND ----------

study.tell({"temperature": 60.0, "minutes": 8, "catalyst": 1}, experiment(60.0, 8, "acid"))
print(f"{len(study.trials)} trials, best loss {study.best.loss:.3f} with", study.best_params)

# COMMAND ----------

# MAGIC %md
# MAGIC A study can be saved to a file until the results are known. (It can also be pickled, and
# MAGIC with a `sparktune.journal.Journal` as `journal=` every step is written to disk.)

# COMMAND ----------

running = study.ask(2)
path = Path(tempfile.mkdtemp()) / "study.jsonl"
study.save(path)

tomorrow = Study.load(path, space)
for id in sorted(tomorrow.running):
    tomorrow.tell(id, experiment(**tomorrow.config(id)))
print(f"{len(tomorrow.trials)} trials after {len(running)} more")
