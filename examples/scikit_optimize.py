# Databricks notebook source
# MAGIC %md
# MAGIC # Coming from scikit-optimize
# MAGIC
# MAGIC A program for scikit-optimize changes one line, `import skopt`, to
# MAGIC `import sparktune.skopt as skopt`; `install_as_skopt()` does it for packages whose imports you
# MAGIC cannot change. The minimizers, `Optimizer`, `BayesSearchCV`, callbacks and plots have the same
# MAGIC names and arguments.
# MAGIC
# MAGIC What differs from scikit-optimize 0.10.2, on purpose:
# MAGIC
# MAGIC | there | here |
# MAGIC |---|---|
# MAGIC | a loss that is NaN ends the search | it is a failure: infinite in `func_vals`, and worse than all others for the model |
# MAGIC | values are sometimes `np.int64`, `np.str_`, `np.bool_` | values are those of Python |
# MAGIC | `Optimizer` changes the dimensions it is given | they stay as they are |
# MAGIC | the ends of an `Integer` are half as likely as other values | all are equally likely |
# MAGIC | `ask()` gives the same point to two workers | points that are under way are known; no two workers get the same |
# MAGIC | `ask(n)` fits n + 1 models | one, to which the lies are added |
# MAGIC | initial designs may break `space_constraint`, which raises | points that break it are left out |
# MAGIC | `models` keeps every model | each is fitted when you look at it, so memory does not grow |
# MAGIC | `acq_optimizer`, `n_points`, `n_restarts_optimizer`, `n_jobs` decide how the next point is searched | they are taken, and there is one search |
# MAGIC | the Gaussian process is fitted to the losses | it is fitted to losses whose large values are drawn together, with priors on its lengths |
# MAGIC | the gains of `gp_hedge` are in units of the loss | in standard deviations, so that units do not matter |
# MAGIC | `MES` draws from numpy's global generator | from that of the search |
# MAGIC | Halton's and Hammersley's points begin in a corner | they are scrambled |
# MAGIC | `y0` without `x0` is ignored | it is refused |
# MAGIC | `VerboseCallback` prints the begin and the end of each step | the end, as several run at once |
# MAGIC | `BayesSearchCV`: models after 10 candidates; `total_iterations` counts parameters too | after at most half of `n_iter`; candidates |
# MAGIC | `BayesSearchCV`: a batch in which all fits fail raises, `error_score` or not; categories that are tuples, too | failed candidates are recorded; tuples are values |
# MAGIC | `BayesSearchCV` calls callbacks after each batch | after each candidate |
# MAGIC | `best_params_` is an `OrderedDict` | a dict |

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
