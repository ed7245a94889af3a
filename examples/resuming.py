# Databricks notebook source
# MAGIC %md
# MAGIC # Continue after a crash
# MAGIC With `journal=` every suggestion and every result is written to a file before it is used. If
# MAGIC the driver dies, start the same program again: finished trials are kept, unfinished ones are
# MAGIC evaluated again with the same parameters, and the suggestions are the same as in an
# MAGIC uninterrupted run.

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
# MAGIC The same call with a larger budget continues the study. Its points are the same as in a
# MAGIC single run.

# COMMAND ----------

second = tune(valley, space, journal=journal, max_trials=MAX_TRIALS, seed=0)
print(f"{len(second.trials)} trials, best loss {second.best.loss:.4f}")

whole = tune(valley, space, max_trials=MAX_TRIALS, seed=0, progress=False)
assert [t.values for t in whole.trials.values()] == [t.values for t in second.trials.values()]

# COMMAND ----------

# MAGIC %md
# MAGIC A journal can also be read later, here or on another machine.

# COMMAND ----------

print(Study.load(journal, space))

# COMMAND ----------

# MAGIC %md
# MAGIC - A journal of another search space raises an error that lists the differences. A journal
# MAGIC   that another run is writing also raises an error.
# MAGIC - Arrays, models and other objects in results are stored in files beside the journal, in
# MAGIC   `study.jsonl.blobs/`.
# MAGIC - On mounts of Databricks volumes and at URLs such as `s3://bucket/study.jsonl` (extra
# MAGIC   `remote`), appending is not possible, so the whole journal is rewritten every 10 seconds.
# MAGIC - `study.save(path)` writes a journal of a study that ran without one.
# MAGIC - On the command line, `sparktune show study.jsonl` prints a summary, and `sparktune plot`
# MAGIC   draws the plots.
# MAGIC - A journal contains parameters, results, error messages and the output of trials as plain
# MAGIC   text. New journals are therefore readable by their owner only. Reading a journal executes
# MAGIC   no code. `load()` of a large value in a result unpickles it, which can: only use it for
# MAGIC   journals you trust.
# MAGIC
# MAGIC ## Signals
# MAGIC Ctrl-C cancels running trials and raises `KeyboardInterrupt`, whose attribute `study` is the
# MAGIC study with all finished trials. SIGTERM and SIGHUP end `sparktune run` in the same way. Your
# MAGIC own program can set signal handlers:
# MAGIC ```python
# MAGIC import signal
# MAGIC
# MAGIC signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends a run like Ctrl-C
# MAGIC ```
