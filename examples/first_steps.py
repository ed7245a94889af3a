# Databricks notebook source
# MAGIC %md
# MAGIC # First steps
# MAGIC An objective, a search space and a budget are all it takes. The objective is a Python function
# MAGIC of one configuration; it returns the loss, and smaller is better. Here it is a polynomial with
# MAGIC its minimum at x = 2.25.

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
# MAGIC `tune` returns the study. `study.best` is its best trial, `study.trials` has all of them, and
# MAGIC `study.stop_reason` says why the run ended.
# MAGIC
# MAGIC | | |
# MAGIC |---|---|
# MAGIC | `study.best_params` | {label: value} of the best trial, choices as their options |
# MAGIC | `study.to_pandas()` | a row for each trial: status, loss, parameters, times, error (extra `pandas`) |
# MAGIC | `study` as the last value of a notebook cell | a summary and the best trials |
# MAGIC | `study.report("report.html")`, `sparktune.report({name: study})` | one HTML page: what was found, what mattered, how far to trust it, slots, failures; no server, no network |
# MAGIC | `study.report("report.html")` | one page to look at and to send around, which needs no server |
# MAGIC | `sparktune.plots` (extra `plots`) | `history`, `timeline`, `values`, `scatter`, `histograms`, `parallel_coordinates`, `importance`, `convergence` |

# COMMAND ----------

print(study)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Where the trials run
# MAGIC `on=` names the platform. Nothing else in the program changes.
# MAGIC
# MAGIC | `on=` | evaluates | choose it for |
# MAGIC |---|---|---|
# MAGIC | `Serial()` (default) | one after the other, in this process | trying things out, debugging, objectives of milliseconds |
# MAGIC | `Spark(parallelism=8)` | as Spark tasks, up to 8 at once | objectives that fit on one worker: scikit-learn, XGBoost, PyTorch |
# MAGIC | `Threads(4)` | on threads of the driver, up to 4 at once | objectives that use Spark themselves: Spark ML, queries |
# MAGIC
# MAGIC On Spark every trial gets an objective of its own: what one trial changes in the data that
# MAGIC the objective captured is not seen by the next. `Serial()` and `Threads(4)` run in one
# MAGIC process, so their trials share what the objective captured.
# MAGIC
# MAGIC ## Algorithms
# MAGIC
# MAGIC | `sampler=` | choose it for |
# MAGIC |---|---|
# MAGIC | "tpe" (default) | almost everything: it learns from results, in conditional and mixed spaces, with many trials at once |
# MAGIC | "auto" | the fewest trials, each of which takes a second or more: a Gaussian process and TPE by turns, fewer turns of the process where it would keep slots waiting |
# MAGIC | "gp", or `GaussianProcess(...)` of `sparktune.samplers.gp` | smooth losses, in spaces of every shape, noisy or not |
# MAGIC | "forest", or `Forest(...)` of `sparktune.samplers.forest` | losses that jump, spaces of many categories (extra `sklearn`) |
# MAGIC | "random" | a baseline, or results that say little about their neighbours |
# MAGIC | "sobol", "halton", "lhs" | an even cover of the space, whatever the results |
# MAGIC | "grid", or `Grid(...)` of `sparktune.samplers.grid` | every point of a finite space, or of grids of your own |
# MAGIC | "anneal", or `Anneal(...)` of `sparktune.samplers.anneal` | points closer and closer to the best trials |
# MAGIC | `Mix(...)` of `sparktune.samplers.mix` | several of them by turns |
# MAGIC | any object with `suggest(space, history, n, rng)` | your own |
# MAGIC
# MAGIC In a finite space TPE does not propose a point again while others are left, and the run ends
# MAGIC when all are tried. `tpe.suggest(repeats=True)` continues, for noisy
# MAGIC objectives.
# MAGIC
# MAGIC ## When to stop
# MAGIC Beside `max_trials`, `stop=` takes rules of `sparktune.stopping`, which combine with `|` and
# MAGIC `&`: the example stops 20 trials after the last improvement, or after an hour.

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
# MAGIC | `MaxEvals(n)`, `Timeout(seconds)`, `LossThreshold(loss)` | after n trials, after that time, at that loss |
# MAGIC | `NoProgress(n)` | when n trials in a row have not improved the best loss |
# MAGIC | `NoProgressFor(seconds)` | when the best loss has not improved for that time |
# MAGIC | `RemainingImprovement(least, trials=20)` | when the next 20 trials are expected to improve it by less than `least` in all |
# MAGIC
# MAGIC ## The same results again
# MAGIC `seed=` determines the suggestions, together with the results they build on. One trial at a
# MAGIC time, two runs with the same seed are the same. In parallel runs results arrive in an order
# MAGIC that no seed decides, so later suggestions differ, unless `deterministic=True`: trial k then
# MAGIC builds on the results of exactly the trials up to k - parallelism, and waits for them.
