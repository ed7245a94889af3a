# Databricks notebook source
# MAGIC %md
# MAGIC # MLflow, and a page to send around
# MAGIC With `tracking="mlflow"` the study is a run of MLflow and each trial a child run, with the
# MAGIC names that Databricks' Hyperopt gave, so that saved searches keep working. The parent is the
# MAGIC active run, if there is one. `fmin` takes the same argument.
# MAGIC
# MAGIC Trials do not wait for MLflow: a thread sends what happens, with retries. When the server is
# MAGIC away the run goes on, and `sparktune track JOURNAL` sends later what is missing. A run that
# MAGIC continues finds its children again. Needs the extra `mlflow`.

# COMMAND ----------

import os
import tempfile

import mlflow

from sparktune import MlflowObserver, hp, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 40))

folder = tempfile.mkdtemp()
mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")

space = {"x": hp.uniform("x", -5, 5), "kind": hp.choice("kind", ["round", "flat"])}


def validation_loss(configuration):
    loss = configuration["x"] ** 2 + (configuration["kind"] == "flat")
    return {"loss": loss, "status": "ok", "rows": 100, "test_loss": loss + 0.1}


# COMMAND ----------

tracking = MlflowObserver(experiment="valley")  # or "mlflow", for the experiment in use
journal = os.path.join(folder, "study.jsonl")
study = tune(
    validation_loss, space, max_trials=MAX_TRIALS, seed=0, journal=journal, tracking=tracking
)

# COMMAND ----------

# MAGIC %md
# MAGIC Parameters, the loss, the duration and every other number that the objective returned are
# MAGIC those of the child; the parent holds the best loss so far, counts, the table and the report.

# COMMAND ----------

runs = mlflow.search_runs(
    experiment_names=["valley"],
    filter_string="tags.trial_status = 'success'",
    order_by=["metrics.loss"],
    output_format="list",
)
best = runs[0]
print(f"{len(runs)} trials in MLflow; the best is {best.info.run_name}")
print(f"loss {best.data.metrics['loss']:.4f} at x={best.data.params['x']}")

# COMMAND ----------

# MAGIC %md
# MAGIC What the objective logs itself, by `mlflow.log_metric` or by autologging, goes to the run of
# MAGIC its trial with `MlflowObserver(workers=True)`. The workers need MLflow then, and credentials:
# MAGIC `env={"DATABRICKS_HOST": ..., "DATABRICKS_TOKEN": ...}`.
# MAGIC
# MAGIC ## The report
# MAGIC `study.report()` is one HTML file that loads nothing. It says how far the best loss can be
# MAGIC trusted: by the noise that results tell of, by the folds of a cross-validation, and by losses
# MAGIC on held-out data: `test_loss` in the result, or `study.report(test=0.21)`.
# MAGIC `sparktune report study.jsonl -o report.html --follow` renews the page while a study runs,
# MAGIC `sparktune show study.jsonl --follow` a screen in the terminal, and `tune(..., progress="live")`
# MAGIC a summary in a notebook.

# COMMAND ----------

page = study.report(os.path.join(folder, "report.html"))
print(page)
