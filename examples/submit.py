# Databricks notebook source
# MAGIC %md
# MAGIC # Run a study file on a cluster
# MAGIC `spark-submit examples/submit.py conf/random_forest.toml` is `sparktune run` with the Spark
# MAGIC that spark-submit starts: its master and settings hold, not those of the study file. What
# MAGIC follows the study file are options of `sparktune run`, such as `--resume`.

# COMMAND ----------

import sys

from sparktune.cli import main

sys.exit(main(["run", *sys.argv[1:]]))
