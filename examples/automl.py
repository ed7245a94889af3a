# Databricks notebook source
# MAGIC %md
# MAGIC # Model selection without a search space
# MAGIC `any_classifier()` is a placeholder for a pipeline: `SparkSearchCV` chooses the model, its
# MAGIC parameters and the preprocessing. Columns of texts, categories and dates, and missing
# MAGIC values, are converted to numbers as the table requires. The workers need sparktune for this.

# COMMAND ----------

import os
import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from sparktune import Spark, local_session
from sparktune.sklearn import SparkSearchCV, any_classifier

warnings.simplefilter("ignore")  # some candidates do not converge
MAX_TRIALS = int(os.environ.get("MAX_EVALS", 40))

local_session()  # on Databricks and under spark-submit: the existing session

# COMMAND ----------

table, y = load_wine(return_X_y=True, as_frame=True)
rng = np.random.default_rng(0)
table["taste"] = np.where(rng.random(len(y)) < 0.3, None, np.array(["dry", "sweet", "sour"])[y])
table.loc[::11, "alcohol"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(table, y, random_state=0)

search = SparkSearchCV(
    any_classifier(), n_iter=MAX_TRIALS, cv=3, on=Spark(parallelism=2), random_state=0, verbose=1
)
search.fit(X_train, y_train)
print("cross-validated:", search.best_score_, "on new wines:", search.score(X_test, y_test))

# COMMAND ----------

# MAGIC %md
# MAGIC The first five candidates are models with the defaults of scikit-learn (histogram gradient
# MAGIC boosting, a random forest, logistic regression, extra trees, a support vector machine), as a
# MAGIC baseline. `time_budget=600` instead of `n_iter` searches for ten minutes. `export` returns a
# MAGIC Python program of the best pipeline.

# COMMAND ----------

print(search.export())
