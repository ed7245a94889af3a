"""Trials as Spark tasks."""

from importlib.util import find_spec

from sparktune.hyperopt._spark import SparkTrials

__all__ = ["SparkTrials"]

_have_spark = find_spec("pyspark") is not None
