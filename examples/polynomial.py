# Databricks notebook source
# MAGIC %md
# MAGIC # The minimum of a polynomial
# MAGIC A function, a range and a budget. The minimum of x⁴ - 3x³ + 2 is at x = 2.25.

# COMMAND ----------

import os

from sparktune import fmin, hp, tpe

MAX_EVALS = int(os.environ.get("MAX_EVALS", 100))

# COMMAND ----------

best = fmin(lambda x: x**4 - 3 * x**3 + 2, hp.uniform("x", -5, 5), tpe.suggest, MAX_EVALS, seed=0)

print(best)
