"""`IPythonTrials`, which is replaced by `SparkTrials`."""

from sparktune.hyperopt._replaced import IPythonTrials

__all__ = ["IPythonTrials"]
