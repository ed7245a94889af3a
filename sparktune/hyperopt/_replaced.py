"""What Hyperopt had for parallel runs before Spark, and what to use instead."""

from __future__ import annotations

from typing import Any, NoReturn

from sparktune.errors import SparktuneError


class Replaced(SparktuneError, NotImplementedError):
    """This part of Hyperopt has a successor; the message names it."""


class MongoTrials:
    """Not here: raises `Replaced`."""

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Replaced(
            "MongoTrials is not part of sparktune, which needs no database and no workers to be "
            "started. For parallel runs use fmin(trials=SparkTrials(parallelism=8)), on one "
            "machine or a cluster; to keep trials on disk use fmin(trials_save_file='study.pkl')"
        )


class IPythonTrials:
    """Not here: raises `Replaced`."""

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Replaced(
            "IPythonTrials is not part of sparktune: for parallel runs use "
            "fmin(trials=SparkTrials(parallelism=8)), on one machine or a cluster"
        )
