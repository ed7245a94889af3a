"""Hyperopt's older classes for parallel runs. They raise an error that names the replacement."""

from __future__ import annotations

from typing import Any, NoReturn

from sparktune.errors import SparktuneError


class Replaced(SparktuneError, NotImplementedError):
    """This part of Hyperopt is not available; the message names its replacement."""


class MongoTrials:
    """Not available: raises `Replaced`."""

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Replaced(
            "MongoTrials is not part of sparktune, which needs neither a database nor separate "
            "workers. For parallel runs use fmin(trials=SparkTrials(parallelism=8)), on one "
            "machine or a cluster; to store trials on disk use fmin(trials_save_file='study.pkl')"
        )


class IPythonTrials:
    """Not available: raises `Replaced`."""

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Replaced(
            "IPythonTrials is not part of sparktune: for parallel runs use "
            "fmin(trials=SparkTrials(parallelism=8)), on one machine or a cluster"
        )
