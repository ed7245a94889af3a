"""The functions that Spark runs on its workers. They travel by value, so a cluster needs no
sparktune.

What is large, and the code itself, is shipped once; a job carries little more than the
configurations of its trials. `sources` says where on a worker the shipped things are: {name:
(digest of the content, where)}. The objective is loaded again for each trial, a shared object once
by each process.
"""

from __future__ import annotations

import base64
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sparktune.executors._spark_process import (
    Sources,
    begin,
    forget_trial,
    loaded,
    process_state,
)
from sparktune.executors._spark_state import captured, undone
from sparktune.executors._spark_store import LARGE, Missing
from sparktune.worker import evaluate, text_of, traceback_of

GIVEN = "sparktune.given"  # the local property of a job with what its trials are given
LOST = b"lost"  # the answer of a task that Spark lost and ran again
MISSING = b"missing"  # the answer of a task that needs what has not been sent
RETURNED = ("result", "attachments")  # of a report
_PART = 2**23  # bytes of an answer in one row
_FULL = 2**25  # bytes of reports after which a task begins no further trial


class Evaluation:
    """What a worker does with a trial: load the objective, call it, report.

    Args:
        fetch: the bytes, or the path of a file, that a source's last entry stands for.
        paths: the driver's import paths, given where driver and workers share a file system.
        once: whether to refuse to run a task again that Spark lost, so that every attempt is the
            driver's own. Not where Spark speculates: the copy of a task would end the task itself.
    """

    def __init__(self, fetch: Callable[[Any], bytes | str], paths: list[str], once: bool) -> None:
        self.fetch = fetch
        self.paths = paths
        self.once = once

    def __call__(self, sources: Sources, configs: list[bytes], within: float) -> bytes:
        """The pickled list of the pickled reports of some trials, one after the other; `configs`
        are their pickled arguments. Once they have taken so many seconds, or their
        reports much memory, no other is begun: None stands for those that are left. Never raises:
        Spark would run the task again, in a new process.
        """
        if self.once and is_repeated():
            return LOST
        end, size = time.monotonic() + within, 0
        reports: list[bytes | None] = []
        try:
            for config in configs:
                if reports and (size > _FULL or time.monotonic() >= end):
                    break
                reports.append(self.evaluated(sources, config))
                size += len(reports[-1] or b"")
        except Missing:
            if not reports:
                return MISSING
        return pickle.dumps(reports + [None] * (len(configs) - len(reports)))

    def evaluated(self, sources: Sources, config: bytes) -> bytes:
        """The pickled report of one trial.

        Raises:
            Missing: the driver must send something first.
        """
        started = time.time()
        report: dict[str, Any] = {}
        try:
            with captured(process_state()) as tail:
                report = self.report(sources, config)
            report.pop("exception", None)
            times = {"started": started, "finished": time.time()}
            return packed(times | report | {"log": tail.text()})
        finally:
            report = {}
            forget_trial()

    def report(self, sources: Sources, config: bytes) -> dict[str, Any]:
        """The report of one trial.

        Raises:
            Missing: the driver must send something first.
        """
        try:
            sys.path.extend(path for path in self.paths if path not in sys.path)
            begin(sources, self.fetch)
            objective, argument = loaded(config)
        except Missing:
            raise
        except BaseException as error:
            return unreadable(error)
        try:
            with undone():
                return evaluate(objective, argument)
        except BaseException as error:
            failure = (type(error).__name__, text_of(error), traceback_of(error))
            return {"status": "error", "failure": failure}


def run_rows(code: Any, sources: Sources, given: Any, rows: Iterable[Any]) -> list[bytes]:
    """One task on Spark Classic: `code` is the broadcast pickle of an `Evaluation`, the result its
    answer. `given` is the pickle of its configurations and seconds, or a broadcast of it, or None
    where a local property of the job has it.

    The input is read to its end, as Spark starts a new Python process for the next task otherwise.
    """
    from pyspark import TaskContext

    for _ in rows:
        pass
    # Not a global of this module: every job brings a new copy of this function.
    process = sys.modules.setdefault("_sparktune", type(sys)("_sparktune")).__dict__
    if code not in process:
        process[code] = pickle.loads(code.value)
    if given is None:
        context: Any = TaskContext.get()
        given = base64.b64decode(context.getLocalProperty(GIVEN))
    configs, within = pickle.loads(given if isinstance(given, bytes) else given.value)
    return [process[code](sources, configs, within)]


def run_batches(
    code: str, sources: Sources, configs: list[bytes], within: float, batches: Iterable[Any]
) -> Iterator[Any]:
    """One task on Spark Connect: `code` is the file name of a pickled `Evaluation`, the result its
    answer, in several rows if it is large. Else as `run_rows`.
    """
    import pyarrow
    from pyspark import SparkFiles

    for _ in batches:
        pass
    process = sys.modules.setdefault("_sparktune", type(sys)("_sparktune")).__dict__
    if code not in process:
        with open(SparkFiles.get(code), "rb") as file:
            process[code] = pickle.load(file)
    answer = process[code](sources, configs, within)
    for start in range(0, len(answer), _PART):
        yield pyarrow.RecordBatch.from_pydict({"report": [answer[start : start + _PART]]})


def is_repeated() -> bool:
    """Whether Spark has run this task before."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return context is not None and context.attemptNumber() > 0


def broadcast_bytes(broadcast: Any) -> bytes:
    """The value of a broadcast. Large values become a file, so they are not kept in memory."""
    value: bytes = broadcast.value
    if len(value) > LARGE and getattr(broadcast, "_path", None):
        broadcast.__dict__.pop("_value", None)
    return value


def file_of_job(name: str) -> str:
    """The path of a file that came with the Spark job."""
    from pyspark import SparkFiles

    return str(SparkFiles.get(name))


def users_broadcast(number: int) -> Any:
    """A broadcast variable of the user, which Spark sends with the job."""
    from pyspark import broadcast

    return broadcast._from_id(number)


def unreadable(error: BaseException) -> dict[str, Any]:
    """The report of a trial whose objective or parameters a worker could not unpickle."""
    hint = "the objective or its parameters could not be loaded on the Spark worker"
    if isinstance(error, ImportError):
        hint += (
            f" (Python {sys.version.split()[0]}, {sys.executable}): the module is missing there; "
            "install it on the cluster, ship it with --py-files, sc.addPyFile or "
            "spark.addArtifact(path, pyfile=True), or set PYSPARK_PYTHON to an interpreter that "
            "has it"
        )
    failure = (type(error).__name__, f"{text_of(error)}; {hint}", f"{traceback_of(error)}{hint}\n")
    return {"status": "error", "failure": failure}


def packed(report: dict[str, Any]) -> bytes:
    """A pickled report. The objective's result is pickled separately, because the driver may lack
    modules that it refers to. A result that cannot be pickled becomes an error.
    """
    from pyspark import cloudpickle

    returned = {name: report.pop(name) for name in RETURNED if name in report}
    try:
        report["returned"] = bytes(cloudpickle.dumps(returned))
    except BaseException as error:
        message = (
            f"the objective's result cannot be sent back: {text_of(error)}; return numbers, text "
            "and other picklable values, and save large or special objects to storage"
        )
        failure = ("UnpicklableResult", message, traceback_of(error))
        known = {name: report[name] for name in ("started", "finished", "log")}
        report = {"status": "error", "failure": failure} | known
    return pickle.dumps(report)
