# Databricks notebook source
# MAGIC %md
# MAGIC # Coming from scikit-optimize
# MAGIC
# MAGIC In a program for scikit-optimize, change one line: replace `import skopt` by `import
# MAGIC sparktune.skopt as skopt`. For packages whose imports you cannot change, call
# MAGIC `install_as_skopt()`. The minimizers, `Optimizer`, `BayesSearchCV`, callbacks and plots have
# MAGIC the same names and arguments.
# MAGIC
# MAGIC Intended differences from scikit-optimize 0.10.2:
# MAGIC
# MAGIC | scikit-optimize | sparktune |
# MAGIC |---|---|
# MAGIC | a NaN loss ends the search | a NaN loss is a failure: infinite in `func_vals`, and worse than all others for the model |
# MAGIC | values are sometimes `np.int64`, `np.str_`, `np.bool_` | values have types of Python |
# MAGIC | `Optimizer` changes its arguments `dimensions` | it does not change them |
# MAGIC | the ends of an `Integer` are half as likely as other values | all values are equally likely |
# MAGIC | `ask()` returns the same point to all workers until a loss is told | it does so in one thread; other threads, and calls after a `tell`, get points that nobody evaluates |
# MAGIC | `ask(n)` fits n + 1 models | `ask(n)` fits one model, to which the lies are added |
# MAGIC | initial designs may violate `space_constraint`, which raises | points that violate it are left out |
# MAGIC | `models` keeps every model | each model is fitted at its first use, so memory does not grow |
# MAGIC | `acq_optimizer`, `n_points`, `n_restarts_optimizer`, `n_jobs` control the search for the next point | these arguments are accepted without effect |
# MAGIC | the Gaussian process is fitted to the losses | it is fitted to losses with compressed large values, with priors on its length scales |
# MAGIC | the gains of `gp_hedge` are in units of the loss | they are in standard deviations, independent of units |
# MAGIC | `MES` draws from numpy's global generator | it draws from the generator of the search |
# MAGIC | Halton and Hammersley sequences begin in a corner | they are scrambled |
# MAGIC | `y0` without `x0` is ignored | it raises an error |
# MAGIC | `VerboseCallback` prints the begin and the end of each step | it prints the end, because several steps run at once |
# MAGIC | `BayesSearchCV`: models after 10 candidates; `total_iterations` is the number of candidates times parameters | models after at most half of `n_iter`; it is the number of candidates |
# MAGIC | `BayesSearchCV` raises if all fits of a batch fail, even with `error_score`, and for categories that are tuples | failed candidates are recorded; tuples are values |
# MAGIC | `BayesSearchCV` calls callbacks after each batch | it calls them after each candidate |
# MAGIC | `best_params_` is an `OrderedDict` | it is a dict |

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
# MAGIC The example tunes a small neural network on handwritten digits. The space is written as in
# MAGIC scikit-optimize.

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
# MAGIC First, evaluate one point after the other in this process:

# COMMAND ----------

search_result = gp_minimize(
    error, space, acq_func="EI", n_calls=14, n_initial_points=5, x0=default, random_state=0
)
print(f"alone: error {search_result.fun:.3f} at {search_result.x}")

# COMMAND ----------

# MAGIC %md
# MAGIC Then evaluate several points at once, each as a Spark task. An evaluation that raises is
# MAGIC recorded as a failure. With `journal="search.jsonl"` the same call would continue after a
# MAGIC crash.

# COMMAND ----------

local_session()
search_result = gp_minimize(
    error, space, acq_func="EI", n_calls=14, n_initial_points=5, x0=default, random_state=0,
    on=Spark(parallelism=4),
)  # fmt: skip
print(f"on Spark: error {search_result.fun:.3f} at {search_result.x}")
print(search_result.study)
