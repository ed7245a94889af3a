"""What belongs to Spark, in objectives and parameters: broadcast variables, accumulators, and what
exists on the driver only.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pyspark import cloudpickle

import sparktune
from sparktune import ObjectiveNotPicklable, SparkTrials, ThreadTrials, Trials, fmin, hp
from sparktune.errors import AllTrialsFailed
from tests.spark.conftest import eight_a_task_too

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module
X = hp.uniform("x", 0, 1)
quiet = functools.partial(fmin, show_progressbar=False)


class Holder:
    """Holds something in an attribute, and in a list in it."""

    def __init__(self, thing: Any) -> None:
        self.things = {"deep": [thing]}

    def __call__(self, x: float) -> float:
        return float(sum(self.things["deep"][0].value))


def refer(how: str, thing: Any) -> Callable[[float], float]:
    """An objective that refers to a broadcast variable somewhere."""

    def added(thing: Any, x: float) -> float:
        return float(sum(thing.value))

    def default(x: float, given: Any = thing) -> float:
        return float(sum(given.value))

    handle = sparktune.share([thing])
    ways: dict[str, Callable[[float], float]] = {
        "cell": lambda x: float(sum(thing.value)),
        "default": default,
        "attribute": Holder(thing),
        "partial": functools.partial(added, thing),
        "shared": lambda x: float(sum(handle.value[0].value)),
    }
    return ways[how]


@pytest.mark.parametrize("how", ["cell", "default", "attribute", "partial", "shared"])
def test_broadcast_variables_work_wherever_they_are(how: str, spark: Any) -> None:
    data = spark.sparkContext.broadcast([1, 2, 3])
    trials = SparkTrials(2, spark_session=spark)
    quiet(refer(how, data), X, max_evals=4, trials=trials)
    assert trials.losses() == [6.0] * 4
    assert list(spark.sparkContext._pickled_broadcast_vars) == []
    data.destroy()


@eight_a_task_too
def test_broadcast_variables_work_in_parameters(spark: Any, batch: Any) -> None:
    options = [spark.sparkContext.broadcast([number]) for number in range(3)]
    trials = SparkTrials(2, spark_session=spark, batch=batch)
    space = hp.choice("data", options)
    quiet(
        lambda data: sum(data.value), space, algo=sparktune.rand.suggest, max_evals=9, trials=trials
    )
    for trial in trials.records.values():
        assert trial.loss == trial.values["data"]


@eight_a_task_too
def test_accumulators_count_every_trial(spark: Any, batch: Any) -> None:
    calls, settings = spark.sparkContext.accumulator(0), spark.sparkContext.accumulator(0)

    def objective(config: dict[str, Any]) -> float:
        calls.add(1)
        config["count"].add(2)
        if config["x"] > 0.9:
            raise ValueError
        return float(config["x"])

    trials = SparkTrials(3, spark_session=spark, batch=batch)
    quiet(objective, {"x": X, "count": hp.choice("count", [settings])}, max_evals=20, trials=trials)
    assert (calls.value, settings.value) == (20, 40)


def test_a_shared_accumulator_is_refused(spark: Any) -> None:
    handle = sparktune.share({"calls": spark.sparkContext.accumulator(0)})
    with pytest.raises(ObjectiveNotPicklable, match=r"an Accumulator in it, .* without share\(\)"):
        quiet(lambda x: handle.value["calls"].add(1), X, max_evals=2, trials=SparkTrials(2))


@pytest.mark.parametrize("kind", ["broadcast", "accumulator"])
def test_on_connect_there_are_neither(kind: str, spark: Any, connect: Any) -> None:
    thing = getattr(spark.sparkContext, kind)(1)
    with pytest.raises(ObjectiveNotPicklable, match="exist on classic sessions only"):
        quiet(lambda x: bool(thing), X, max_evals=2, trials=SparkTrials(2, spark_session=connect))


def driver_objects(session: Any) -> dict[str, Any]:
    """What exists on the driver only, by what the error calls it."""
    from pyspark.sql import Window, functions

    frame = session.range(3)
    return {
        "SparkSession": session,
        "DataFrame": frame,
        "Column": functions.col("id") + 1,
        "WindowSpec": Window.partitionBy("id"),
        "GroupedData": frame.groupBy("id"),
        "RuntimeConf": session.conf,
        "DataFrameReader": session.read,
        "Catalog": session.catalog,
    }


def jvm_objects(session: Any) -> dict[str, Any]:
    """What else there is on classic sessions."""
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.evaluation import RegressionEvaluator
    from pyspark.ml.feature import Binarizer

    context = session.sparkContext
    return {
        "SparkContext": context,
        "RDD": context.parallelize([1]),
        "PipelinedRDD": context.parallelize([1]).map(abs),
        "StatusTracker": context.statusTracker(),
        "LogisticRegression": LogisticRegression(),
        "Binarizer": Pipeline(stages=[Binarizer(inputCol="a", outputCol="b", threshold=0.5)]),
        "RegressionEvaluator": RegressionEvaluator(),
        "JVMView": session._jvm,
        "JavaObject": session._jvm.java.lang.Object(),
    }


def assert_refused(objects: dict[str, Any], session: Any) -> None:
    for name, thing in objects.items():
        for objective in (lambda x, thing=thing: bool(thing), Holder(thing)):
            with pytest.raises(ObjectiveNotPicklable) as caught:
                quiet(objective, X, max_evals=2, trials=SparkTrials(2, spark_session=session))
            found = str(caught.value)
            assert name in found
            assert "exists only on the driver: use ThreadTrials" in found


def test_what_exists_on_the_driver_only_is_refused_with_the_way_out(session: Any) -> None:
    assert_refused(driver_objects(session), session)


@pytest.mark.parametrize("kind", ["driver", "jvm"])
def test_objects_of_spark_are_options_where_the_objective_runs_on_the_driver(
    kind: str, spark: Any
) -> None:
    objects = {"driver": driver_objects, "jvm": jvm_objects}[kind](spark)
    space = {"it": hp.choice("it", list(objects.values())), "x": X}
    points = [{"it": i, "x": 0.5} for i in range(len(objects))]
    seen: list[Any] = []

    def objective(point: dict[str, Any]) -> float:
        seen.append(point["it"])
        return 0.0

    trials: Trials = ThreadTrials(2)
    quiet(objective, space, max_evals=0, points_to_evaluate=points, trials=trials)
    assert {id(each) for each in seen} == {id(each) for each in objects.values()}
    trials = SparkTrials(2, spark_session=spark)
    with pytest.raises(AllTrialsFailed, match="exists only on the driver: use ThreadTrials"):
        quiet(bool, space, max_evals=0, points_to_evaluate=points, trials=trials)
    for name, trial in zip(objects, trials.records.values(), strict=True):
        assert trial.failure is not None
        assert trial.failure.type == "ObjectiveNotPicklable"
        assert name in trial.failure.message, name
        assert "the parameters of a trial cannot be sent" in trial.failure.message


def test_whatever_holds_an_object_of_the_jvm_is_refused(spark: Any) -> None:
    assert_refused(jvm_objects(spark), spark)
