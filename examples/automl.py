# Databricks notebook source
# MAGIC %md
# MAGIC # A model without a space
# MAGIC `any_classifier()` stands for a pipeline that is not chosen yet: `SparkSearchCV` chooses the
# MAGIC model, its parameters and what goes before it. Columns of texts, categories and dates, and
# MAGIC gaps, are made numbers as the table needs it. The workers need sparktune for this.

# COMMAND ----------

import os
import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from sparktune import Spark, local_session
from sparktune.sklearn import SparkSearchCV, any_classifier

warnings.simplefilter("ignore")  # that some candidate has not converged is no news
MAX_TRIALS = int(os.environ.get("MAX_EVALS", 40))

local_session()  # on Databricks and under spark-submit: the session that is there

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
# MAGIC The first five candidates are models as scikit-learn makes them (histogram gradient boosting, a
# MAGIC random forest, logistic regression, extra trees, a support vector machine), so that the result is
# MAGIC compared with these. `time_budget=600` in place of `n_iter` searches for ten minutes. `export` gives
# MAGIC the program of the winner.

# COMMAND ----------

print(search.export())
