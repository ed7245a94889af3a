# Databricks notebook source
# MAGIC %md
# MAGIC # MLflow and reports
# MAGIC With `tracking="mlflow"` the study is a run of MLflow, and each trial is a child run. The
# MAGIC names are those of Databricks' Hyperopt, so that saved searches keep working. The parent run
# MAGIC is the active run, if there is one. `fmin` takes the same argument.
# MAGIC
# MAGIC Trials do not wait for MLflow: a thread sends all events, with retries. If the server does
# MAGIC not answer, the study continues, and `sparktune track JOURNAL` sends the missing trials
# MAGIC later. A study that is resumed continues its MLflow runs. Needs the extra `mlflow`.

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
# MAGIC A child run has the parameters, the loss, the duration and all other numbers that the
# MAGIC objective returned. The parent run has the best loss so far, counts, the table of trials and
# MAGIC the report.

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
# MAGIC With `MlflowObserver(workers=True)`, the calls of `mlflow.log_metric` and autologging in the
# MAGIC objective log to the run of its trial. The workers then need MLflow and credentials:
# MAGIC `env={"DATABRICKS_HOST": ..., "DATABRICKS_TOKEN": ...}`.
# MAGIC
# MAGIC ## The report
# MAGIC `study.report()` creates one HTML file that loads no other files. It estimates the
# MAGIC reliability of the best loss from the reported noise, from the folds of a cross-validation,
# MAGIC and from losses on held-out data: `test_loss` in the result, or `study.report(test=0.21)`.
# MAGIC To follow a running study, `sparktune report study.jsonl -o report.html --follow` updates
# MAGIC the page, `sparktune show study.jsonl --follow` updates a screen in the terminal, and
# MAGIC `tune(..., progress="live")` updates a summary in a notebook.

# COMMAND ----------

page = study.report(os.path.join(folder, "report.html"))
print(page)
