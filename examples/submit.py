# Databricks notebook source
# MAGIC %md
# MAGIC # Run a study file on a cluster
# MAGIC `spark-submit examples/submit.py conf/random_forest.toml` is `sparktune run` with the Spark
# MAGIC that spark-submit starts. Its master and settings apply instead of those in the study file.
# MAGIC The options of `sparktune run`, such as `--resume`, follow the study file.

# COMMAND ----------

import sys

from sparktune.cli import main

sys.exit(main(["run", *sys.argv[1:]]))
