"""`IPythonTrials`, whose replacement is `SparkTrials`."""

from sparktune.hyperopt._replaced import IPythonTrials

__all__ = ["IPythonTrials"]
