# Databricks notebook source
# MAGIC %md
# MAGIC # Continue after a crash
# MAGIC With `journal=` every suggestion and every result is a line of a file, on disk before it is
# MAGIC used. When the driver dies, start the same program again: what has ended is kept, what ran is
# MAGIC evaluated again with the same parameters, and the suggestions are those of a run that nothing
# MAGIC interrupted.

# COMMAND ----------

import os
import tempfile

from sparktune import Study, hp, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 40))

space = {"x": hp.uniform("x", -5, 5), "y": hp.uniform("y", -5, 5)}
journal = os.path.join(tempfile.mkdtemp(), "study.jsonl")


def valley(configuration):
    return (configuration["x"] - 1) ** 2 + (configuration["y"] + 2) ** 2


# COMMAND ----------

first = tune(valley, space, journal=journal, max_trials=MAX_TRIALS // 2, seed=0, progress=False)
print(f"{len(first.trials)} trials, best loss {first.best.loss:.4f}")

# COMMAND ----------

# MAGIC %md
# MAGIC The same call with a larger budget continues the study. It is one search: the points are those
# MAGIC that a single run would have tried.

# COMMAND ----------

second = tune(valley, space, journal=journal, max_trials=MAX_TRIALS, seed=0)
print(f"{len(second.trials)} trials, best loss {second.best.loss:.4f}")

whole = tune(valley, space, max_trials=MAX_TRIALS, seed=0, progress=False)
assert [t.values for t in whole.trials.values()] == [t.values for t in second.trials.values()]

# COMMAND ----------

# MAGIC %md
# MAGIC A journal is also a file to look at later, here or on another machine.

# COMMAND ----------

print(Study.load(journal, space))

# COMMAND ----------

# MAGIC %md
# MAGIC - A journal of another search space is refused with the parameters that differ, and so is one
# MAGIC   that another run is writing.
# MAGIC - Arrays, models and the like in results are kept in files beside the journal, in
# MAGIC   `study.jsonl.blobs/`.
# MAGIC - Where files cannot grow, on mounts of Databricks volumes and at URLs such as
# MAGIC   `s3://bucket/study.jsonl` (extra `remote`), the whole journal is written anew every 10 seconds.
# MAGIC - `study.save(path)` writes a journal of a study that ran without one.
# MAGIC - On the command line `sparktune show study.jsonl` prints a summary, `sparktune plot` draws it.
# MAGIC - A journal holds parameters, results, texts of failures and what trials printed in clear, so new
# MAGIC   ones are readable for their owner only. Reading one runs no code. `load()` on a large value of
# MAGIC   a result unpickles it, which can: call it on journals you trust.
# MAGIC
# MAGIC ## Signals
# MAGIC Ctrl-C cancels what runs and raises `KeyboardInterrupt`; the study with all that has ended is its
# MAGIC attribute `study`. SIGTERM and SIGHUP end `sparktune run` in the same way. In a program of your
# MAGIC own, signals are yours:
# MAGIC ```python
# MAGIC import signal
# MAGIC
# MAGIC signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends a run as Ctrl-C does
# MAGIC ```
