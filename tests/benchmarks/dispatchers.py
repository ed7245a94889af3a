"""Ways to evaluate an objective n times on Spark: plain jobs, sparktune, and its peers.

Each has the signature `run(objective, n)` and returns how many evaluations succeeded. Those that
suggest points do so over the same four parameters, with their own defaults.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

import sparktune

SLOTS = 4
CLASSIC, CONNECT = "plain Spark", "plain Connect"
Objective: TypeAlias = Callable[[Any], float]
Run: TypeAlias = Callable[[Objective, int], int]


@dataclass(frozen=True)
class Contender:
    """Who takes part, in at most `rounds` rounds, with at most `most` trials of a workload."""

    name: str
    run: Run
    rounds: int
    floor: str = CLASSIC
    most: int = 200

    @property
    def ours(self) -> bool:
        """Whether it is sparktune."""
        return self.name.endswith(("TPE", "random"))


def plain_spark(spark: Any) -> Run:
    """Single-task jobs from as many threads as there are slots."""
    context = spark.sparkContext

    def run(objective: Objective, n: int) -> int:
        def job(i: int) -> int:
            return len(context.parallelize([i], 1).map(objective).collect())

        with ThreadPoolExecutor(SLOTS) as threads:
            return sum(threads.map(job, range(n)))

    return run


def plain_connect(spark: Any) -> Run:
    """Single-task queries from as many threads as there are slots."""

    def run(objective: Objective, n: int) -> int:
        def task(batches: Any) -> Any:
            for batch in batches:
                objective(batch["id"][0].as_py())
                yield batch

        def query(i: int) -> int:
            return len(spark.range(i, i + 1, 1, 1).mapInArrow(task, "id long").collect())

        with ThreadPoolExecutor(SLOTS) as threads:
            return sum(threads.map(query, range(n)))

    return run


def minimized(package: Any, algo: Any, seed: dict[str, Any], **options: Any) -> Run:
    """`fmin` of sparktune or hyperopt, which take the same arguments."""
    hp = package.hp
    space = {
        "x": hp.uniform("x", -5, 5),
        "rate": hp.loguniform("rate", -5, 0),
        "depth": hp.quniform("depth", 1, 10, 1),
        "kind": hp.choice("kind", ["a", "b", "c"]),
    }

    def run(objective: Objective, n: int) -> int:
        trials = package.SparkTrials(parallelism=SLOTS, **options)
        given = {"max_evals": n, "trials": trials, "show_progressbar": False, **seed}
        package.fmin(objective, space, algo=algo, **given)
        return int(trials.count_successful_trials())

    return run


def with_hyperopt(objective: Objective, n: int) -> int:
    """Hyperopt's SparkTrials."""
    import hyperopt

    seed = {"rstate": np.random.default_rng(0)}
    return minimized(hyperopt, hyperopt.tpe.suggest, seed)(objective, n)


def with_joblib_spark(objective: Objective, n: int) -> int:
    """joblib's backend, which suggests nothing."""
    import joblib
    from joblibspark import register_spark

    register_spark()
    with joblib.parallel_backend("spark", n_jobs=SLOTS):
        return len(joblib.Parallel()(joblib.delayed(objective)(i) for i in range(n)))


def with_flaml(objective: Objective, n: int) -> int:
    """FLAML's tune."""
    from flaml import tune

    space = {
        "x": tune.uniform(-5, 5),
        "rate": tune.loguniform(0.007, 1),
        "depth": tune.randint(1, 11),
        "kind": tune.choice(["a", "b", "c"]),
    }
    analysis = tune.run(
        partial(_scored, objective),
        config=space,
        metric="score",
        mode="min",
        num_samples=n,
        use_spark=True,
        n_concurrent_trials=SLOTS,
        verbose=0,
    )
    return sum(trial.status == "TERMINATED" for trial in analysis.trials)


def with_mlflow(objective: Objective, n: int) -> int:
    """MLflow's study of Optuna, its records in SQLite."""
    import mlflow
    from mlflow.optuna.storage import MlflowStorage
    from mlflow.pyspark.optuna.study import MlflowSparkStudy
    from optuna.trial import TrialState

    def suggested(trial: Any) -> float:
        return objective(
            {
                "x": trial.suggest_float("x", -5, 5),
                "rate": trial.suggest_float("rate", 0.007, 1, log=True),
                "depth": trial.suggest_int("depth", 1, 10),
                "kind": trial.suggest_categorical("kind", ["a", "b", "c"]),
            }
        )

    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        storage = MlflowStorage(experiment_id=mlflow.create_experiment("dispatch", folder))
        study = MlflowSparkStudy("dispatch", storage)
        study.optimize(suggested, n_trials=n, n_jobs=SLOTS)
        return sum(trial.state is TrialState.COMPLETE for trial in study.trials)


def _scored(objective: Objective, config: Any) -> dict[str, float]:
    return {"score": objective(config)}


@dataclass(frozen=True)
class Peer:
    """Another package: its name, how it runs, and with how many trials in reasonable time."""

    package: str
    run: Run
    most: int


PEERS = {
    "hyperopt": Peer("hyperopt", with_hyperopt, 40),
    "joblib-spark": Peer("joblibspark", with_joblib_spark, 40),
    "FLAML": Peer("flaml", with_flaml, 40),
    "MLflow": Peer("mlflow", with_mlflow, 20),
}
"""By the names of the contenders."""


def contenders(spark: Any, connect: Any, peers: list[str], rounds: int) -> list[Contender]:
    """Who takes part; the peers, some of which need minutes, once and with few trials."""
    tpe, rand = sparktune.tpe.suggest, sparktune.rand.suggest
    found = []
    for floor, plain, name, session in (
        (CLASSIC, plain_spark(spark), "Classic", spark),
        (CONNECT, plain_connect(connect), "Connect", connect),
    ):
        found.append(Contender(floor, plain, rounds, floor))
        for sampler, algo in (("TPE", tpe), ("random", rand)):
            run = minimized(sparktune, algo, {"seed": 0}, spark_session=session)
            found.append(Contender(f"{name}, {sampler}", run, rounds, floor))
    slow = {name: peer for name, peer in PEERS.items() if name in peers}
    return found + [Contender(name, peer.run, 1, most=peer.most) for name, peer in slow.items()]
