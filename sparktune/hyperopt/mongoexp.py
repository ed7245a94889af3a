"""`MongoTrials`, whose replacement is `SparkTrials`."""

from sparktune.hyperopt._replaced import MongoTrials

__all__ = ["MongoTrials"]
