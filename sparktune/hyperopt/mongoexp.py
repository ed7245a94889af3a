"""`MongoTrials`, which is replaced by `SparkTrials`."""

from sparktune.hyperopt._replaced import MongoTrials

__all__ = ["MongoTrials"]
