# Databricks notebook source
# MAGIC %md
# MAGIC # First steps
# MAGIC A study needs an objective, a search space and a budget. The objective is a Python function
# MAGIC of one configuration that returns the loss; smaller is better. Here it is a polynomial whose
# MAGIC minimum is at x = 2.25.

# COMMAND ----------

import os

from sparktune import hp, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 100))


def polynomial(configuration):
    x = configuration["x"]
    return x**4 - 3 * x**3 + 2


study = tune(polynomial, {"x": hp.uniform("x", -5, 5)}, max_trials=MAX_TRIALS, seed=0)

print(study.best_params)

# COMMAND ----------

# MAGIC %md
# MAGIC `tune` returns the study. `study.best` is its best trial, `study.trials` has all trials, and
# MAGIC `study.stop_reason` is the reason why the run ended.
# MAGIC
# MAGIC | | |
# MAGIC |---|---|
# MAGIC | `study.best_params` | {label: value} of the best trial; a choice has its option as the value |
# MAGIC | `study.to_pandas()` | a row for each trial: status, loss, parameters, times, error (extra `pandas`) |
# MAGIC | `study` as the last value of a notebook cell | a summary and the best trials |
# MAGIC | `study.report("report.html")`, `sparktune.report({name: study})` | one HTML page to read and to send: best trial, importance of parameters, noise of the best loss, slots, failures; needs no server and no network |
# MAGIC | `sparktune.plots` (extra `plots`) | `history`, `timeline`, `values`, `scatter`, `histograms`, `parallel_coordinates`, `importance`, `convergence` |

# COMMAND ----------

print(study)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Where the trials run
# MAGIC `on=` names the platform. Nothing else in the program changes.
# MAGIC
# MAGIC | `on=` | evaluates trials | use it for |
# MAGIC |---|---|---|
# MAGIC | `Serial()` (default) | one after the other, in this process | first attempts, debugging, objectives of milliseconds |
# MAGIC | `Spark(parallelism=8)` | as Spark tasks, up to 8 at once | objectives that fit on one worker: scikit-learn, XGBoost, PyTorch |
# MAGIC | `Threads(4)` | on threads of the driver, up to 4 at once | objectives that use Spark themselves: Spark ML, queries |
# MAGIC
# MAGIC On Spark every trial gets its own copy of the objective: a trial does not see changes that
# MAGIC others made to captured data. `Serial()` and `Threads(4)` run in one process, so their
# MAGIC trials share the captured data.
# MAGIC
# MAGIC ## Algorithms
# MAGIC
# MAGIC | `sampler=` | use it for |
# MAGIC |---|---|
# MAGIC | "tpe" (default) | almost everything: it learns from results, in conditional and mixed spaces, with many parallel trials |
# MAGIC | "auto" | the fewest trials, each of which takes a second or more: two Gaussian processes in turn, and TPE where slots would wait for them |
# MAGIC | "gp", or `GaussianProcess(...)` of `sparktune.samplers.gp` | smooth losses with or without noise, in any space |
# MAGIC | "forest", or `Forest(...)` of `sparktune.samplers.forest` | discontinuous losses, spaces with many categories (extra `sklearn`) |
# MAGIC | "random" | a baseline, or losses that say little about neighbouring points |
# MAGIC | "sobol", "halton", "lhs" | an even coverage of the space, independent of the results |
# MAGIC | "grid", or `Grid(...)` of `sparktune.samplers.grid` | every point of a finite space, or of your own grids |
# MAGIC | "anneal", or `Anneal(...)` of `sparktune.samplers.anneal` | points that gradually approach the best trials |
# MAGIC | `Mix(...)` of `sparktune.samplers.mix` | several samplers in turn |
# MAGIC | any object with `suggest(space, history, n, rng)` | your own sampler |
# MAGIC
# MAGIC In a finite space TPE does not propose a point again while others are left, and the run ends
# MAGIC when all points are tried. For noisy objectives, `tpe.suggest(repeats=True)` continues.
# MAGIC
# MAGIC ## When to stop
# MAGIC In addition to `max_trials`, `stop=` takes rules of `sparktune.stopping`, which can be
# MAGIC combined with `|` and `&`. The example stops 20 trials after the last improvement, or after
# MAGIC an hour.

# COMMAND ----------

from sparktune.stopping import NoProgress, Timeout

study = tune(
    polynomial,
    {"x": hp.uniform("x", -5, 5)},
    max_trials=MAX_TRIALS,
    stop=NoProgress(20) | Timeout(3600),
    seed=0,
)
print(f"{len(study.trials)} trials")

# COMMAND ----------

# MAGIC %md
# MAGIC | rule | stops a run |
# MAGIC |---|---|
# MAGIC | `MaxEvals(n)`, `Timeout(seconds)`, `LossThreshold(loss)` | after n trials, after that time, below that loss |
# MAGIC | `NoProgress(n)` | when n trials in a row have not improved the best loss |
# MAGIC | `NoProgressFor(seconds)` | when the best loss has not improved for that time |
# MAGIC | `RemainingImprovement(least, trials=20)` | when the next 20 trials together are expected to improve the best loss by less than `least` |
# MAGIC
# MAGIC ## Reproducible results
# MAGIC The suggestions are determined by `seed=` and the results on which they are based. Two runs
# MAGIC of one trial at a time are equal for equal seeds. In parallel runs, the order in which
# MAGIC results arrive depends on the timing, so later suggestions differ. With
# MAGIC `deterministic=True`, trial k is based on the results of exactly the trials up to k -
# MAGIC parallelism, and waits for them.
