# Databricks notebook source
# MAGIC %md
# MAGIC # Tune a Spark ML pipeline
# MAGIC A Spark ML estimator runs Spark jobs of its own, so it cannot be evaluated inside a Spark task.
# MAGIC `ThreadTrials` evaluates on threads of the driver: Spark interleaves the jobs of several fits.

# COMMAND ----------

import os
from math import log

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from sklearn.datasets import load_breast_cancer

from sparktune import ThreadTrials, fmin, hp, local_session, tpe

MAX_EVALS = int(os.environ.get("MAX_EVALS", 40))

spark = local_session()  # on Databricks and under spark-submit: the session that is there

# COMMAND ----------

table = load_breast_cancer(as_frame=True).frame
train, valid = spark.createDataFrame(table).randomSplit([0.8, 0.2], seed=0)
train.cache()
valid.cache()

assemble = VectorAssembler(inputCols=list(table.columns.drop("target")), outputCol="raw")
scale = StandardScaler(inputCol="raw", outputCol="features")
evaluator = MulticlassClassificationEvaluator(labelCol="target", metricName="logLoss")

space = {
    "regParam": hp.loguniform("regParam", log(1e-5), log(1.0)),
    "elasticNetParam": hp.uniform("elasticNetParam", 0.0, 1.0),
}


def validation_loss(parameters):
    regression = LogisticRegression(labelCol="target", **parameters)
    model = Pipeline(stages=[assemble, scale, regression]).fit(train)
    return evaluator.evaluate(model.transform(valid))


# COMMAND ----------

trials = ThreadTrials(parallelism=4)
best = fmin(validation_loss, space, tpe.suggest, MAX_EVALS, trials=trials, seed=0)

print(f"Best loss {min(trials.losses()):.4f} with {best}")
print(f"Default parameters: loss {validation_loss({}):.4f}")
