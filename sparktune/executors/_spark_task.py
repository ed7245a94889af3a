"""The functions that Spark runs on its workers. They travel by value, so a cluster needs no
sparktune.

An objective is pickled once into a `Shipped`, broadcast once, and unpickled once by each worker
process; the jobs of single trials carry only the trial's configuration.
"""

from __future__ import annotations

import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from sparktune.worker import evaluate


class Envelope:
    """Anything pickled by cloudpickle, for a channel that pickles without it: unpickles to the
    thing itself.
    """

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        return pickle.loads, (self._pickled,)


class Shipped:
    """An objective on its way, with all that a worker needs to evaluate it; unpickled at its first
    use in a process.

    `paths` are the driver's import paths, given where driver and workers share a file system.
    """

    def __init__(self, pickled: bytes, paths: list[str]) -> None:
        self.pickled: bytes | None = pickled
        self.paths = paths
        self.objective: Any = None

    def load(self) -> Callable[[Any], Any]:
        """The objective."""
        if self.pickled is not None:
            sys.path.extend(path for path in self.paths if path not in sys.path)
            self.objective = pickle.loads(self.pickled)
            self.pickled = None
        loaded: Callable[[Any], Any] = self.objective
        return loaded

    def evaluate(self, pickled_config: bytes) -> bytes:
        """The pickled report of one trial. Never raises: Spark would run the task again, in a new
        process.
        """
        started = time.time()
        try:
            objective, config = self.load(), pickle.loads(pickled_config)
        except BaseException as error:
            report = unreadable(error)
        else:
            try:
                report = evaluate(objective, config)
            except KeyboardInterrupt as error:
                failure = ("KeyboardInterrupt", str(error), traceback.format_exc())
                report = {"status": "error", "failure": failure}
        report.pop("exception", None)
        return packed({"started": started, "finished": time.time()} | report)


def run(shipped: Any, pickled_config: bytes, rows: Iterable[Any]) -> list[bytes]:
    """One Spark task: `shipped` is the broadcast `Shipped`, the result its report.

    The input is read to its end, as Spark starts a new Python process for the next task otherwise.
    This function is pickled for every trial, so it is small.
    """
    for _ in rows:
        pass
    return [shipped.value.evaluate(pickled_config)]


def unreadable(error: BaseException) -> dict[str, Any]:
    """The report where a worker could not unpickle what it was sent."""
    hint = "the objective or its parameters could not be loaded on the Spark worker"
    if isinstance(error, ImportError):
        hint += (
            f" (Python {sys.version.split()[0]}, {sys.executable}): the module is missing there; "
            "install it on the cluster, ship it with --py-files or sc.addPyFile, "
            "or set PYSPARK_PYTHON to an interpreter that has it"
        )
    failure = (type(error).__name__, f"{error}; {hint}", f"{traceback.format_exc()}{hint}\n")
    return {"status": "error", "failure": failure}


def packed(report: dict[str, Any]) -> bytes:
    """A pickled report; one that cannot be pickled becomes an error that says so."""
    from pyspark import cloudpickle

    try:
        return bytes(cloudpickle.dumps(report))
    except BaseException as error:
        message = (
            f"the objective's result cannot be sent back: {error}; "
            "return numbers, text and other picklable values, and save large or special "
            "objects to storage"
        )
        failure = ("UnpicklableResult", message, traceback.format_exc())
        return pickle.dumps(
            {
                "status": "error",
                "failure": failure,
                "started": report["started"],
                "finished": report["finished"],
            }
        )
