"""Transfer to and from Spark's workers: the objective and shared objects once, the parameters of a
trial with its job, and the report.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pyspark import cloudpickle

from sparktune import worker
from sparktune.errors import ObjectiveNotPicklable, SparkUnavailable
from sparktune.executors import _spark_process, _spark_task
from sparktune.executors._spark_store import LARGE
from sparktune.executors.seams import Lost
from sparktune.executors.spark_pickling import (
    OnDriver,
    Pickled,
    unpicklable,
    whole,
    with_memory_apart,
)
from sparktune.executors.task import Task
from sparktune.trial import Trial

logger = logging.getLogger("sparktune")

_NOT_ON_CONNECT = (
    "there is a Broadcast or an Accumulator in it, which exist on classic sessions only"
)
_COUNTED_ONCE = (
    "there is an Accumulator in it, and what is shared is loaded once by each process, so that it "
    "would count for one trial only; let the objective refer to it without share()"
)
_NOTHING = pickle.dumps({})
MUCH = 2**20  # bytes; Spark writes larger closures to disk, again for every job
_FULL = 2**23  # bytes of parameters after which a job takes no further trial


class Shipment:
    """Objects on the workers, each sent once, however many trials need it. What is large becomes a
    file first, of which workers on this machine make use as it is.

    Args:
        objective: sent at once.
        evaluation: what a worker does with a trial; sent at once.
        send: sends bytes, in parts, under a name made of their content, and returns where the
            workers find them.
        folder: where files are made; None: the system's folder for temporary files.
        nearby: whether workers are thought to be on this machine, so that what is large is only
            sent once one of them lacks its file.
        users_variables: whether broadcast variables and accumulators work there.

    Raises:
        ObjectiveNotPicklable: the objective cannot travel, or there is no room for it.
    """

    def __init__(
        self,
        objective: Callable[[Any], Any],
        evaluation: _spark_task.Evaluation,
        send: Callable[[str, Sequence[Any]], Any],
        folder: str | None = None,
        nearby: bool = False,
        users_variables: bool = False,
    ) -> None:
        self.sources: _spark_process.Sources = {}
        self._send = send
        self._nearby = nearby
        self._users_variables = users_variables
        self._folder = tempfile.mkdtemp(prefix="sparktune-", dir=folder)
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._files: dict[str, int] = {}
        self._sending = threading.Lock()
        self._warned = False
        try:
            self._add(_spark_process.OBJECTIVE, objective, "the objective")
            code = Pickled([cloudpickle.dumps(evaluation)])
            self.code = self._sent(code.name, code.pieces, "sparktune")
        except BaseException:
            self.close()
            raise

    def _pickled_config(self, task: Task, trial: Trial) -> bytes:
        """The pickled argument of the objective; shared objects in it are sent now, if they are
        new.

        Raises:
            ObjectiveNotPicklable: it cannot travel.
            Exception: of the space, which cannot make it.
        """
        described, argument = "the parameters of a trial", task.configure(trial)
        try:
            pickled = whole(argument)
        except Exception as error:
            raise unpicklable(described, error) from error
        with self._sending:
            self._add_found(pickled, described)
        [config] = pickled.pieces
        if len(config) > MUCH and not (self._warned or task.heavy):
            self._warned = True
            logger.warning(
                "the parameters of a trial take %d MB, which travel with every trial: let the "
                "objective refer to large data, or put sparktune.share(data) into the space",
                len(config) >> 20,
            )
        return bytes(config)

    def reports(
        self,
        task: Task,
        trials: Sequence[Trial],
        noticing: Callable[[], AbstractContextManager[None]],
        run: Callable[[_spark_process.Sources, list[bytes]], bytes],
    ) -> list[dict[str, Any] | None]:
        """The reports of a worker on trials; None for those that it has not evaluated.

        Args:
            noticing: a context in which what fails as Spark is gone is `SparkUnavailable`.
            run: what a worker answers that is given sources and pickled configurations.

        Raises:
            Lost: Spark lost the task that ran the trials.
            SparkUnavailable: Spark is gone.
            Exception: of `run`.
        """
        configs: dict[int, bytes] = {}
        reports: list[dict[str, Any] | None] = [None] * len(trials)
        size = 0
        for i, trial in enumerate(trials):
            if size > _FULL:
                break
            try:
                with noticing():
                    configs[i] = self._pickled_config(task, trial)
                size += len(configs[i])
            except SparkUnavailable:
                raise
            except Exception as error:
                reports[i] = not_configured(error)
        if configs:
            with noticing():
                answer = self._answer(run, [*configs.values()])
            for i, pickled in zip(configs, answer, strict=True):
                if pickled is not None:
                    reports[i] = task.keep(trials[i], unpickled_report(pickled))
        return reports

    def _answer(
        self,
        run: Callable[[_spark_process.Sources, list[bytes]], bytes],
        configs: list[bytes],
    ) -> list[bytes | None]:
        """Run the task, again if something must be sent first."""
        while (answer := run(self.sources, configs)) == _spark_task.MISSING:
            with self._sending:
                self._send_files()
        if answer == _spark_task.LOST:
            raise Lost("the executor or the Python process that ran this trial was lost")
        reports: list[bytes | None] = pickle.loads(answer)
        return reports

    def close(self) -> None:
        """Remove the files on this machine."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()
        self._remove()

    def _add_found(self, pickled: Pickled, described: str) -> None:
        if (pickled.broadcasts or pickled.accumulates) and not self._users_variables:
            raise unpicklable(described, OnDriver(_NOT_ON_CONNECT))
        for number, broadcast in pickled.broadcasts.items():
            name = f"broadcast-{number}"
            if name not in self.sources:  # where it is pickled, Spark sends it with the job
                self.sources = {**self.sources, name: (name, (None, 0, broadcast))}
        for key, shared in pickled.shared.items():
            if key not in self.sources:
                self._add(key, shared.value, f"what {shared} refers to")

    def _add(self, name: str, thing: Any, described: str) -> None:
        pickled = with_memory_apart(thing, described)
        if pickled.accumulates and name != _spark_process.OBJECTIVE:
            raise unpicklable(described, OnDriver(_COUNTED_ONCE))
        path = sent = None
        alone = self._nearby and name == _spark_process.OBJECTIVE and pickled.size > LARGE
        digest = uuid.uuid4().hex if alone else pickled.name  # which takes a second for a gigabyte
        if pickled.size > LARGE:
            path = self._placed(digest, pickled, described)
        if path is None or not self._nearby:
            sent = self._sent(digest, pickled.pieces, described)
        # Others may be reading the old ones.
        self.sources = {**self.sources, name: (digest, (path, pickled.size, sent))}
        self._add_found(pickled, described)

    def _placed(self, digest: str, pickled: Pickled, described: str) -> str:
        """The path of a file, which is opened, too, so that it can be sent whatever becomes of
        the path.
        """
        path = Path(self._folder, digest)
        if digest in self._files:
            return str(path)
        try:
            with open(path, "xb", opener=_owners) as file:
                file.writelines(pickled.pieces)
            self._files[digest] = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise _not_stored(described, pickled.size, error) from error
        return str(path)

    def _send_files(self) -> None:
        """Send the files that workers did not find on their machine."""
        sources = dict(self.sources)
        for name, (digest, (path, size, sent)) in sources.items():
            if sent is None:
                with open(self._files[digest], "rb", closefd=False) as file:
                    file.seek(0)
                    content = file.read()
                sent = self._sent(Pickled([content]).name, [content], name)
                sources[name] = digest, (path, size, sent)
        self.sources = sources

    def _sent(self, name: str, pieces: Sequence[Any], described: str) -> Any:
        try:
            return self._send(name, pieces)
        except Exception as error:
            raise _not_stored(described, sum(map(len, pieces)), error) from error


def _owners(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def unpickled_report(pickled: bytes) -> dict[str, Any]:
    """A worker's report. What the objective returned may not be loadable here, which makes the
    trial an error.
    """
    report: dict[str, Any] = pickle.loads(pickled)
    try:
        returned: dict[str, Any] = pickle.loads(report.pop("returned", _NOTHING))
    except Exception as error:
        message = f"the objective's result cannot be loaded in the driver: {worker.text_of(error)}"
        failure = ("UnreadableResult", message, worker.traceback_of(error))
        known = {name: report[name] for name in ("started", "finished", "log")}
        return {"status": "error", "failure": failure} | known
    return report | returned


def not_configured(error: Exception) -> dict[str, Any]:
    """The report of a trial whose argument could not be built or pickled."""
    report = worker.failed(error) | {"started": time.time(), "finished": time.time()}
    report.pop("exception")
    return report


def _not_stored(described: str, size: int, error: Exception) -> ObjectiveNotPicklable:
    [line, *_] = str(error).splitlines() or [""]
    return ObjectiveNotPicklable(
        f"{described} cannot be sent to Spark workers: Spark did not store its "
        f"{max(size >> 20, 1)} MB: {type(error).__name__}: {line}. "
        "If a disk is full, make room, or name folders that have more: Spark's by spark.local.dir, "
        "this process's by the environment variable TMPDIR."
    )
