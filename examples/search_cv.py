# Databricks notebook source
# MAGIC %md
# MAGIC # A search for scikit-learn
# MAGIC
# MAGIC `SparkSearchCV` replaces `RandomizedSearchCV` and `GridSearchCV`. Every fold of every
# MAGIC candidate is a Spark task, the data is sent to each machine once, and earlier scores guide
# MAGIC later candidates.

# COMMAND ----------

from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import sparktune
from sparktune import Spark
from sparktune.sklearn import SparkSearchCV

sparktune.local_session(2)  # on Databricks: the existing session
X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)
model = make_pipeline(StandardScaler(), SVC())
space = {"svc__C": loguniform(0.01, 1000), "svc__gamma": loguniform(1e-5, 1)}

search = SparkSearchCV(
    model, space, n_iter=12, cv=5, scoring="roc_auc", random_state=0, on=Spark(2)
)
search.fit(X, y)
print(search.best_params_)
print(f"on new data: {search.score(X_test, y_test):.4f}")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Bias of the best score
# MAGIC
# MAGIC `best_score_` is the best of many scores, and therefore too optimistic. `corrected_score_`
# MAGIC corrects for the selection, with an interval (BBC-CV: candidates are selected on bootstrap
# MAGIC samples of the predictions for the test folds, and scored on the rows outside of the
# MAGIC samples).

# COMMAND ----------

low, high = search.corrected_interval_
print(f"best: {search.best_score_:.4f}, corrected: {search.corrected_score_:.4f}")
print(f"95 %: {low:.4f} to {high:.4f}, by {search.corrected_by_}")
print(search.remark_)
for row in search.leaderboard_[:3]:
    print(row["rank"], f"{row['score']:.4f}", row["like_the_best"], row["params"])

# COMMAND ----------

# MAGIC %md
# MAGIC ## Races
# MAGIC
# MAGIC With `racing=True`, a candidate that is clearly worse than the best after two or more folds
# MAGIC gets no further ones. `param_grid` evaluates all combinations, as `GridSearchCV` does.
# MAGIC
# MAGIC If the best candidates are too close, `cv=RepeatedStratifiedKFold(...)` with
# MAGIC `repeats="adaptive"` evaluates more folds only for candidates within one standard error of
# MAGIC the best. `tracking="mlflow"` logs every candidate.

# COMMAND ----------

grid = {"svc__C": [0.01, 0.1, 1, 10], "svc__gamma": [1e-4, 1e-2, 1]}
race = SparkSearchCV(model, param_grid=grid, cv=5, racing=True, on=Spark(2)).fit(X, y)
folds = race.cv_results_["n_folds"]
print(f"{folds.sum()} of {5 * len(folds)} fits; best: {race.best_params_}")

# COMMAND ----------

# MAGIC %md
# MAGIC ## An ensemble of the best
# MAGIC
# MAGIC The stored predictions of the folds also show which candidates complement each other. The
# MAGIC members of the ensemble are fitted on all data in parallel. The result is a
# MAGIC `VotingClassifier` of scikit-learn.

# COMMAND ----------

trees = {"max_depth": [2, 4, 8, None], "min_samples_leaf": [1, 3, 9, 27]}

forest = SparkSearchCV(
    DecisionTreeClassifier(random_state=0),
    param_grid=trees,
    scoring="neg_log_loss",
    refit="ensemble",
    ensemble=10,
    on=Spark(2),
)
forest.fit(X, y)
print(forest.ensemble_weights_)
print(f"log loss on new data: {-forest.score(X_test, y_test):.3f}")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Nested cross-validation
# MAGIC
# MAGIC It estimates the score of the whole search. The searches run in parallel on the same slots.

# COMMAND ----------

outer = SparkSearchCV(model, space, n_iter=4, cv=3, random_state=0, on=Spark(2)).nested(X, y, cv=3)
print(outer["test_score"], outer["params"])
