# Databricks notebook source
# MAGIC %md
# MAGIC # Ask and tell
# MAGIC
# MAGIC A `Study` proposes points and learns from their results; where these come from is up to you: your own
# MAGIC cluster, a laboratory, another program. Nothing here needs Spark.

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
    """The share that is lost; in truth, somebody in a laboratory."""
    speed = {"none": 0.02, "acid": 0.05, "base": 0.04}[catalyst] * math.exp(temperature / 40)
    decay = 0.002 * math.exp(temperature / 25)
    return 1 - (1 - math.exp(-speed * minutes)) * math.exp(-decay * minutes)


# COMMAND ----------

# MAGIC %md
# MAGIC `ask` hands out trials and `config` says what to evaluate. While trials run, others can be asked for:
# MAGIC they are different points. `tell` takes the loss, a dict with more, or what went wrong.

# COMMAND ----------

study = Study(space, seed=0)
study.enqueue({"temperature": 50.0, "minutes": 10, "catalyst": 1})  # as it has been done so far

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
# MAGIC What was found elsewhere counts too.

# COMMAND ----------

study.tell({"temperature": 60.0, "minutes": 8, "catalyst": 1}, experiment(60.0, 8, "acid"))
print(f"{len(study.trials)} trials, best loss {study.best.loss:.3f} with", study.best_params)

# COMMAND ----------

# MAGIC %md
# MAGIC A study can wait in a file for the results of tomorrow. (It can also be pickled, and a
# MAGIC `sparktune.journal.Journal` given as `journal=` keeps every step.)

# COMMAND ----------

running = study.ask(2)
path = Path(tempfile.mkdtemp()) / "study.jsonl"
study.save(path)

tomorrow = Study.load(path, space)
for id in sorted(tomorrow.running):
    tomorrow.tell(id, experiment(**tomorrow.config(id)))
print(f"{len(tomorrow.trials)} trials after {len(running)} more")
