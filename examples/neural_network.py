# Databricks notebook source
# MAGIC %md
# MAGIC # A neural network in PyTorch
# MAGIC Epochs are the budget: `ASHA` gives each network one epoch, the best third of them three,
# MAGIC and so on. Between two budgets a network and its optimizer are stored in a file that any
# MAGIC worker can read, so that no epoch is computed twice.
# MAGIC
# MAGIC The workers need PyTorch: `pip install torch`.

# COMMAND ----------

import os
import tempfile
from collections import Counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sparktune import ASHA, Spark, hp, local_session, tune

CONFIGURATIONS = int(os.environ.get("MAX_EVALS", 40))
CHECKPOINTS = tempfile.mkdtemp()  # on a cluster: "/Volumes/catalog/schema/volume", or a URL

spark = local_session()  # on Databricks and under spark-submit: the existing session

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X.astype(np.float32) / 16, y, random_state=0)

# COMMAND ----------

# MAGIC %md
# MAGIC ## The objective
# MAGIC `budget` is the total number of epochs, and `state` is the state that the previous
# MAGIC evaluation returned, or `None`. Tensors are moved to the CPU before they become a state, so
# MAGIC that a worker without a GPU can continue the training of a worker with one.


# COMMAND ----------


def device():
    """The GPU that Spark assigned to this task; else any GPU; else the CPU."""
    import torch
    from pyspark import TaskContext

    task = TaskContext.get()
    gpus = task.resources().get("gpu") if task else None
    if gpus:
        return torch.device(f"cuda:{gpus.addresses[0]}")
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def network(config, budget, state=None):
    import torch
    from torch import nn

    torch.set_num_threads(1)  # a trial has one core
    torch.manual_seed(0)
    where = device()
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, config["channels"], 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(config["dropout"]),
        nn.Linear(config["channels"] * 16, 10),
    ).to(where)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config["rate"], weight_decay=config["decay"]
    )
    done = 0
    if state:
        done, weights, momenta = state
        model.load_state_dict(weights)
        optimizer.load_state_dict(momenta)
    samples, classes = torch.tensor(X_train, device=where), torch.tensor(y_train, device=where)
    for epoch in range(done, budget):
        model.train()
        order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(epoch))
        for batch in order.split(config["batch"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(samples[batch]), classes[batch]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(torch.tensor(X_test, device=where)).argmax(1).cpu().numpy() == y_test
    return {
        "loss": 1 - float(right.mean()),
        "status": "ok",
        "began": done,
        "device": str(where),
        "state": (budget, model.cpu().state_dict(), on_cpu(optimizer.state_dict())),
    }


def on_cpu(content):
    """A copy of a state dict with all tensors on the CPU."""
    if isinstance(content, dict):
        return {key: on_cpu(value) for key, value in content.items()}
    return content.cpu() if hasattr(content, "cpu") else content


space = {
    "rate": hp.loguniform("rate", np.log(1e-4), np.log(1e-1)),
    "decay": hp.loguniform("decay", np.log(1e-6), np.log(1e-1)),
    "dropout": hp.uniform("dropout", 0, 0.7),
    "channels": hp.choice("channels", [4, 8, 16, 32]),
    "batch": hp.choice("batch", [16, 32, 64, 128]),
}

# COMMAND ----------

# MAGIC %md
# MAGIC ## One GPU for each trial
# MAGIC Spark assigns GPUs to tasks in the same way as cores. On a cluster whose workers have GPUs:
# MAGIC
# MAGIC ```python
# MAGIC from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
# MAGIC
# MAGIC one_gpu = ResourceProfileBuilder().require(TaskResourceRequests().cpus(1).resource("gpu", 1)).build
# MAGIC tune(network, space, on=Spark("auto", resource_profile=one_gpu), ...)
# MAGIC ```
# MAGIC
# MAGIC With `resource("gpu", 0.5)` two trials share a GPU. No profile is needed if the cluster sets
# MAGIC `spark.task.resource.gpu.amount`, as Databricks does on machines with GPUs.

# COMMAND ----------

study = tune(
    network,
    space,
    scheduler=ASHA(min_budget=1, max_budget=27),
    on=Spark(2, session=spark),
    max_trials=CONFIGURATIONS,
    checkpoints=CHECKPOINTS,
    seed=0,
)
print("best:", study.best_params)
print("error:", round(study.best.loss, 4))
print("evaluations:", dict(sorted(Counter(t.budget for t in study.trials.values()).items())))
went_on = [t for t in study.trials.values() if t.parent is not None]
print("went on from a state:", sum(t.result["began"] > 0 for t in went_on), "of", len(went_on))
print(f"{study.history.spent.sum() / 27:.1f} full trainings instead of {CONFIGURATIONS}")

# COMMAND ----------

# MAGIC %md
# MAGIC The file of the best network contains its state at the end of its last evaluation.

# COMMAND ----------

import pickle
from pathlib import Path

[file] = Path(CHECKPOINTS).rglob(study.best.state.name)
epochs, weights, _ = pickle.loads(file.read_bytes())  # only for your own files: it can run code
print("best network:", epochs, "epochs,", sum(w.numel() for w in weights.values()), "weights")
