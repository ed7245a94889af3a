# Databricks notebook source
# MAGIC %md
# MAGIC # Search spaces
# MAGIC A space consists of nested dicts, lists and tuples with `hp.*` parameters. The objective
# MAGIC receives the same structure, in which each parameter is replaced by a value. Labels must be
# MAGIC unique within a space.
# MAGIC
# MAGIC | | the objective receives |
# MAGIC |---|---|
# MAGIC | `hp.choice(label, options)` | one of the options, with equal probabilities; recorded as its index |
# MAGIC | `hp.pchoice(label, [(p, option), ...])` | one of the options, with these probabilities; recorded as its index |
# MAGIC | `hp.randint(label, high)`, `hp.randint(label, low, high)` | an int from [0, high) or [low, high), with equal probabilities |
# MAGIC | `hp.uniform(label, low, high)` | a float between low and high |
# MAGIC | `hp.quniform(label, low, high, q)` | `round(uniform / q) * q`, a float |
# MAGIC | `hp.uniformint(label, low, high)` | `round(uniform)`, an int, including both ends, each half as likely as the others |
# MAGIC | `hp.loguniform(label, low, high)` | `exp(uniform)`: for 0.001 to 10 write `log(0.001), log(10)` |
# MAGIC | `hp.qloguniform(label, low, high, q)` | `round(exp(uniform) / q) * q`, a float |
# MAGIC | `hp.normal(label, mu, sigma)` | a normal float, unbounded |
# MAGIC | `hp.qnormal(label, mu, sigma, q)` | `round(normal / q) * q`, a float |
# MAGIC | `hp.lognormal(label, mu, sigma)` | `exp(normal)`, positive |
# MAGIC | `hp.qlognormal(label, mu, sigma, q)` | `round(exp(normal) / q) * q`, a float, may be 0 |

# COMMAND ----------

from math import log

import numpy as np

from sparktune import hp, scope
from sparktune.hyperopt.pyll.stochastic import sample

space = {
    "learning_rate": hp.loguniform("learning_rate", log(0.001), log(1)),
    "model": hp.choice(
        "model",
        [
            {"kind": "linear", "penalty": hp.choice("penalty", ["l1", "l2"])},
            {"kind": "trees", "depth": hp.uniformint("depth", 2, 10)},
        ],
    ),
}

rng = np.random.default_rng(0)
for _ in range(3):
    print(sample(space, rng))

# COMMAND ----------

# MAGIC %md
# MAGIC Parameters inside an option are only active if that option is chosen: `depth` exists only
# MAGIC for trees. The samplers take this into account.
# MAGIC
# MAGIC ## Computed values
# MAGIC Parameters can be used in expressions. `scope.int` converts a float to an int, and
# MAGIC `scope.define` registers a function of your own.

# COMMAND ----------


@scope.define
def layers(first, depth):
    return [first // 2**i for i in range(depth)]


width = 2 ** hp.randint("log2 of width", 4, 8)
network = {"layers": scope.layers(width, scope.int(hp.quniform("depth", 1, 4, 1)))}

for _ in range(3):
    print(sample(network, rng))
