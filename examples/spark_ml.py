# Databricks notebook source
# MAGIC %md
# MAGIC # Tune a Spark ML pipeline
# MAGIC A Spark ML estimator starts Spark jobs. Only the driver can start jobs, so its trials cannot
# MAGIC be Spark tasks. `Threads` evaluates several trials at once on threads of the driver.

# COMMAND ----------

import os

from pyspark.ml import Pipeline
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import RandomForestRegressor
from sklearn.datasets import load_diabetes

from sparktune import Threads, hp, local_session, tune

MAX_TRIALS = int(os.environ.get("MAX_EVALS", 30))

spark = local_session()  # on Databricks and under spark-submit: the existing session

# COMMAND ----------

table = load_diabetes(as_frame=True).frame
data = spark.createDataFrame(table).coalesce(1)  # 442 rows need no second partition
train, valid = data.randomSplit([0.8, 0.2], seed=0)
train.cache()
valid.cache()

assemble = VectorAssembler(inputCols=list(table.columns.drop("target")), outputCol="features")
rmse = RegressionEvaluator(labelCol="target")

space = {
    "numTrees": hp.uniformint("numTrees", 10, 50),
    "maxDepth": hp.uniformint("maxDepth", 2, 8),
    "minInstancesPerNode": hp.uniformint("minInstancesPerNode", 1, 20),
    "featureSubsetStrategy": hp.choice("featureSubsetStrategy", ["all", "onethird", "sqrt"]),
}


def validation_loss(parameters):
    forest = RandomForestRegressor(labelCol="target", seed=0, **parameters)
    model = Pipeline(stages=[assemble, forest]).fit(train)
    return rmse.evaluate(model.transform(valid))


# COMMAND ----------

study = tune(validation_loss, space, on=Threads(4), max_trials=MAX_TRIALS, seed=0)

print(f"Best loss {study.best.loss:.2f} with {study.best_params}")
print(f"Default parameters: loss {validation_loss({}):.2f}")
