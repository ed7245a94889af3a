# Databricks notebook source
# MAGIC %md
# MAGIC # Coming from scikit-optimize
# MAGIC
# MAGIC A program for scikit-optimize changes one line, `import skopt`, to
# MAGIC `import sparktune.skopt as skopt`; `install_as_skopt()` does it for packages whose imports you
# MAGIC cannot change. The minimizers, `Optimizer`, `BayesSearchCV`, callbacks and plots have the same
# MAGIC names and arguments.
# MAGIC
# MAGIC What differs on purpose: your dimensions are never changed, values are those of Python, all
# MAGIC integers are equally likely, losses that are NaN are failures and not the end of the search, and
# MAGIC points that are under way are known, so that asynchronous workers get different ones.

# COMMAND ----------

from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier

from sparktune import Spark, local_session
from sparktune.skopt import gp_minimize
from sparktune.skopt.space import Categorical, Integer, Real
from sparktune.skopt.utils import use_named_args

# COMMAND ----------

# MAGIC %md
# MAGIC A small neural network reads digits. The space is written as before.

# COMMAND ----------

space = [
    Real(1e-4, 1e-1, prior="log-uniform", name="learning_rate_init"),
    Integer(4, 32, name="neurons"),
    Categorical(["relu", "tanh"], name="activation"),
]
default = [1e-3, 8, "relu"]


@use_named_args(space)
def error(learning_rate_init, neurons, activation):
    import warnings

    X, y = load_digits(return_X_y=True)
    network = MLPClassifier(
        (neurons,), activation=activation, learning_rate_init=learning_rate_init,
        max_iter=20, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return 1 - cross_val_score(network, X / 16, y, cv=2).mean()


# COMMAND ----------

# MAGIC %md
# MAGIC One evaluation after the other, here:

# COMMAND ----------

search_result = gp_minimize(
    error, space, acq_func="EI", n_calls=14, n_initial_points=5, x0=default, random_state=0
)
print(f"alone: error {search_result.fun:.3f} at {search_result.x}")

# COMMAND ----------

# MAGIC %md
# MAGIC Several at once, each a Spark task. An evaluation that raises is recorded as a failure. With
# MAGIC `journal="search.jsonl"` the same call would continue after a crash.

# COMMAND ----------

local_session()
search_result = gp_minimize(
    error, space, acq_func="EI", n_calls=14, n_initial_points=5, x0=default, random_state=0,
    on=Spark(parallelism=4),
)  # fmt: skip
print(f"on Spark: error {search_result.fun:.3f} at {search_result.x}")
print(search_result.study)
