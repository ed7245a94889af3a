"""What travels to Spark's workers, whichever way: the objective and shared objects once, the
parameters of a trial with its job, the report back.
"""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

from pyspark import cloudpickle

from sparktune import worker
from sparktune.errors import ObjectiveNotPicklable
from sparktune.executors import _spark_task
from sparktune.executors.pool import Crashed, Lost
from sparktune.executors.task import Task
from sparktune.sharing import Shared
from sparktune.trial import Trial

logger = logging.getLogger("sparktune")

_LARGE = 2**20  # bytes; Spark writes larger closures to disk, anew for every job

_DRIVER_ONLY = ("SparkSession", "DataFrame")

for _module in (worker, _spark_task):
    cloudpickle.register_pickle_by_value(_module)


_CloudPickler: Any = cloudpickle.Pickler


class _Pickler(_CloudPickler):  # type: ignore[misc]
    """Pickles shared objects as handles, and collects them."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.shared: dict[str, Shared[Any]] = {}

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Shared):
            self.shared[obj.key] = obj
            return _spark_task.Handle, (obj.key,)
        kind = type(obj)
        if kind.__name__ in _DRIVER_ONLY and str(kind.__module__).startswith("pyspark.sql."):
            raise TypeError(f"there is a Spark {kind.__name__} in it")
        return super().reducer_override(obj)


class Shipment:
    """Objects on the workers, each sent once, however many trials need it.

    Args:
        objective: sent at once.
        evaluation: what a worker does with a trial; sent at once.
        send: sends a pickle, in parts, under a name made of its content, and returns where the
            workers find it.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel, or Spark has no room for it.
    """

    def __init__(
        self,
        objective: Callable[[Any], Any],
        evaluation: _spark_task.Evaluation,
        send: Callable[[str, list[bytes]], Any],
    ) -> None:
        self.sources: _spark_task.Sources = {}
        self._send = send
        self._sending = threading.Lock()
        self._warned = False
        self._add(_spark_task.OBJECTIVE, objective, "the objective")
        self.code = self._sent(evaluation, "sparktune")[0][1]

    def pickled_config(self, task: Task, trial: Trial) -> bytes:
        """The pickled argument of the objective; shared objects in it are sent now, if they are
        new.
        """
        file = io.BytesIO()
        pickler = _Pickler(file)
        pickler.dump(task.configure(trial))
        with self._sending:
            self._add_shared(pickler.shared)
        config = file.getvalue()
        if len(config) > _LARGE and not self._warned:
            self._warned = True
            logger.warning(
                "the parameters of a trial take %d MB, which travel with every trial: let the "
                "objective refer to large data, or put sparktune.share(data) into the space",
                len(config) >> 20,
            )
        return config

    def _add_shared(self, found: dict[str, Shared[Any]]) -> None:
        for key, shared in found.items():
            if key not in self.sources:
                self._add(key, shared.value, f"what {shared} refers to")

    def _add(self, name: str, thing: Any, described: str) -> None:
        source, found = self._sent(thing, described)
        self.sources = {**self.sources, name: source}  # others may be reading the old ones
        self._add_shared(found)

    def _sent(self, thing: Any, described: str) -> tuple[tuple[str, Any], dict[str, Shared[Any]]]:
        name, parts, found = pickled(thing, described)
        try:
            return (name, self._send(name, parts)), found
        except Exception as error:
            raise _not_stored(described, sum(map(len, parts)), error) from error


class _Parts:
    """A file that keeps what is written to it, without copying it once more."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, part: bytes) -> None:
        self.written.append(part)


def pickled(thing: Any, described: str) -> tuple[str, list[bytes], dict[str, Shared[Any]]]:
    """A name made of the content, the pickled thing in parts, and the shared objects in it.

    Raises:
        ObjectiveNotPicklable: the thing cannot travel.
    """
    file = _Parts()
    pickler = _Pickler(file)
    try:
        pickler.dump(thing)
    except Exception as error:
        raise _not_picklable(described, error) from error
    digest = hashlib.blake2b(digest_size=16)
    for part in file.written:
        digest.update(part)
    return f"sparktune-{digest.hexdigest()}", file.written, pickler.shared


def unpickled_report(answer: bytes) -> dict[str, Any]:
    """A worker's report.

    Raises:
        Crashed: it refers to what this process does not have.
        Lost: Spark lost the task that ran the trial.
    """
    try:
        report: dict[str, Any] = pickle.loads(answer)
    except Exception as error:
        raise Crashed(f"the objective's result cannot be loaded in the driver: {error}") from error
    if report["status"] == _spark_task.LOST:
        raise Lost("the executor or the Python process that ran this trial was lost")
    return report


def not_configured(error: Exception) -> dict[str, Any]:
    """The report of a trial whose argument could not be built or pickled."""
    report = worker.failed(error) | {"started": time.time(), "finished": time.time()}
    report.pop("exception")
    return report


def _not_picklable(described: str, error: Exception) -> ObjectiveNotPicklable:
    text = str(error)
    hint = "Create what cannot be pickled (connections, locks, open files) inside it."
    if "Spark" in text or "CONTEXT_ONLY_VALID_ON_DRIVER" in text or "py4j" in text:
        hint = (
            "It refers to Spark itself, which exists only on the driver: use ThreadTrials "
            "for objectives that start Spark jobs."
        )
    return ObjectiveNotPicklable(
        f"{described} cannot be sent to Spark workers: {type(error).__name__}: {text}. {hint}"
    )


def _not_stored(described: str, size: int, error: Exception) -> ObjectiveNotPicklable:
    [line, *_] = str(error).splitlines() or [""]
    return ObjectiveNotPicklable(
        f"{described} cannot be sent to Spark workers: Spark did not store its "
        f"{max(size >> 20, 1)} MB: {type(error).__name__}: {line}. "
        "If a disk is full, make room, or name folders that have more: Spark's by spark.local.dir, "
        "this process's by the environment variable TMPDIR."
    )
