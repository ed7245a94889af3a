# Databricks notebook source
# MAGIC %md
# MAGIC # A search for scikit-learn
# MAGIC
# MAGIC `SparkSearchCV` stands where `RandomizedSearchCV` or `GridSearchCV` stood. Every fold of every
# MAGIC candidate is a Spark task, the data is sent to each machine once, and earlier scores guide later
# MAGIC candidates.

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

sparktune.local_session(2)  # on Databricks there is a session already
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
# MAGIC ## What the score is worth
# MAGIC
# MAGIC `best_score_` is the best of many, and so too good. `corrected_score_` takes the choice into account
# MAGIC (BBC-CV: candidates are chosen on bootstrap samples of the predictions for the test folds, and scored
# MAGIC on what the samples left out), with an interval.

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
# MAGIC With `racing=True` a candidate that is clearly worse than the best gets no more folds after its second.
# MAGIC `param_grid` evaluates all combinations, as `GridSearchCV` does.
# MAGIC
# MAGIC Where the best cannot be told apart, `cv=RepeatedStratifiedKFold(...)` with `repeats="adaptive"` gives
# MAGIC more folds to those alone that are within one standard error of the best. `tracking="mlflow"` logs
# MAGIC every candidate.

# COMMAND ----------

grid = {"svc__C": [0.01, 0.1, 1, 10], "svc__gamma": [1e-4, 1e-2, 1]}
race = SparkSearchCV(model, param_grid=grid, cv=5, racing=True, on=Spark(2)).fit(X, y)
folds = race.cv_results_["n_folds"]
print(f"{folds.sum()} of {5 * len(folds)} fits; best: {race.best_params_}")

# COMMAND ----------

# MAGIC %md
# MAGIC ## An ensemble of the best
# MAGIC
# MAGIC The predictions that were kept also say which candidates go well together. Its members are fitted on all
# MAGIC data, side by side; what comes out is a `VotingClassifier` of scikit-learn.

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
# MAGIC ## What the search as a whole is worth
# MAGIC
# MAGIC Nested cross-validation, whose searches run side by side on the same slots.

# COMMAND ----------

outer = SparkSearchCV(model, space, n_iter=4, cv=3, random_state=0, on=Spark(2)).nested(X, y, cv=3)
print(outer["test_score"], outer["params"])
