"""The functions that Spark runs on its workers. They travel by value, so a cluster needs no
sparktune.

What is large, and the code itself, is shipped once and kept by each worker process; the job of a
single trial carries little more than the trial's configuration. `sources` tells a worker where the
shipped things are: {name: (digest of the content, where)}.
"""

from __future__ import annotations

import pickle
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from sparktune.worker import evaluate

Sources: TypeAlias = Mapping[str, tuple[str, Any]]

OBJECTIVE = "objective"
LOST = "lost"  # the status in a report of a task that Spark lost and ran again
LOG_LIMIT = 2**16  # characters of what a trial writes that travel back with it
_KEPT = 300.0  # seconds that a process keeps what its trials do not need
_PART = 2**23  # bytes of a report in one row


class Envelope:
    """A pickle, in parts, for a channel that pickles again: unpickles to the thing itself."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        return pickle.loads, (b"".join(self._parts),)


class Handle:
    """A shared object on a worker, loaded at its first use."""

    def __init__(self, key: str) -> None:
        self.key = key

    @property
    def value(self) -> Any:
        """The object; one and the same for all trials in this process."""
        return shipped(self.key)


class Evaluation:
    """What a worker does with a trial: load the objective, call it, report.

    Args:
        open: unpickles what a source's `where` stands for.
        paths: the driver's import paths, given where driver and workers share a file system.
        once: whether to refuse to run a task again that Spark lost, so that every attempt is the
            driver's own. Not where Spark speculates: the copy of a task would end the task itself.
    """

    def __init__(self, open: Callable[[Any], Any], paths: list[str], once: bool) -> None:
        self.open = open
        self.paths = paths
        self.once = once

    def __call__(self, sources: Sources, config: bytes) -> bytes:
        """The pickled report of one trial. Never raises: Spark would run the task again, in a new
        process.
        """
        started = time.time()
        if self.once and is_repeated():
            return pickle.dumps({"status": LOST})
        with captured() as tail:
            report = self.report(sources, config)
        report.pop("exception", None)
        times = {"started": started, "finished": time.time()}
        return packed(times | report | {"log": tail.text()})

    def report(self, sources: Sources, config: bytes) -> dict[str, Any]:
        """The report of one trial. Never raises."""
        try:
            sys.path.extend(path for path in self.paths if path not in sys.path)
            begin(sources, self.open)
            objective, argument = shipped(OBJECTIVE), pickle.loads(config)
        except BaseException as error:
            return unreadable(error)
        try:
            return evaluate(objective, argument)
        except KeyboardInterrupt as error:
            failure = ("KeyboardInterrupt", str(error), traceback.format_exc())
            return {"status": "error", "failure": failure}


class Tail:
    """The end of what a trial writes to stdout and stderr."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Keep a piece, and drop from the front what is too much."""
        with self._lock:
            self._pieces.append(text[-LOG_LIMIT:])
            self._size += len(self._pieces[-1])
            while self._size - len(self._pieces[0]) >= LOG_LIMIT:
                self._size -= len(self._pieces.popleft())

    def text(self) -> str:
        """The last `LOG_LIMIT` characters."""
        with self._lock:
            return "".join(self._pieces)[-LOG_LIMIT:]


class Tee:
    """A text stream that passes on what is written, and tells the current trial's tail. One for
    each stream and process, as loggers keep the stream that they once saw.
    """

    stream: Any = None
    tail: Tail | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a piece of text."""
        if self.tail is not None:
            self.tail.add(text)
        return int(self.stream.write(text))


@contextmanager
def captured() -> Iterator[Tail]:
    """Keep the end of what is written to stdout and stderr meanwhile."""
    tail, tees = Tail(), kept().setdefault("tees", (Tee(), Tee()))
    streams = sys.stdout, sys.stderr
    for tee, stream in zip(tees, streams, strict=True):
        tee.stream, tee.tail = stream, tail
    sys.stdout, sys.stderr = tees
    try:
        yield tail
    finally:
        sys.stdout, sys.stderr = streams
        for tee in tees:
            tee.tail = None


def run_rows(code: Any, sources: Sources, config: bytes, rows: Iterable[Any]) -> list[bytes]:
    """One task on Spark Classic: `code` is a broadcast `Evaluation`, the result its report.

    The input is read to its end, as Spark starts a new Python process for the next task otherwise.
    This function is pickled for every trial, so it is small.
    """
    for _ in rows:
        pass
    return [code.value(sources, config)]


def run_batches(
    code: str, sources: Sources, config: bytes, batches: Iterable[Any]
) -> Iterator[Any]:
    """One task on Spark Connect: `code` is the file name of a pickled `Evaluation`, the result its
    report, in several rows if it is large. Else as `run_rows`.
    """
    import pyarrow
    from pyspark import SparkFiles

    for _ in batches:
        pass
    # Not a global of this module: every trial brings a new copy of this function.
    process = sys.modules.setdefault("_sparktune", type(sys)("_sparktune")).__dict__
    if code not in process:
        with open(SparkFiles.get(code), "rb") as file:
            process[code] = pickle.load(file)
    report = process[code](sources, config)
    for start in range(0, len(report), _PART):
        yield pyarrow.RecordBatch.from_pydict({"report": [report[start : start + _PART]]})


def is_repeated() -> bool:
    """Whether Spark has run this task before."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return context is not None and context.attemptNumber() > 0


def broadcast_value(broadcast: Any) -> Any:
    """What a broadcast holds."""
    return broadcast.value


def unpickled_file(name: str) -> Any:
    """What a file that came with the Spark job holds."""
    from pyspark import SparkFiles

    with open(SparkFiles.get(name), "rb") as file:
        return pickle.load(file)


def begin(sources: Sources, open: Callable[[Any], Any]) -> None:
    """Make the sources of a task known to this process, and forget what was not used lately."""
    process, now = kept(), time.monotonic()
    process.update(sources=sources, open=open)
    objects = process.setdefault("objects", {})
    needed = {digest for digest, _ in sources.values()}
    for digest, (thing, used) in list(objects.items()):
        if digest in needed:
            objects[digest] = thing, now
        elif used < now - _KEPT:
            del objects[digest]


def shipped(name: str) -> Any:
    """What was shipped under a name; unpickled at its first use in this process."""
    process = kept()
    digest, where = process["sources"][name]
    if digest not in process["objects"]:
        process["objects"][digest] = process["open"](where), time.monotonic()
    return process["objects"][digest][0]


def kept() -> dict[str, Any]:
    """What lasts as long as this process. A global of this module would not: it travels by value,
    so there are many copies of it.
    """
    return sys.modules.setdefault("_sparktune", type(sys)("_sparktune")).__dict__


def unreadable(error: BaseException) -> dict[str, Any]:
    """The report where a worker could not unpickle what it was sent."""
    hint = "the objective or its parameters could not be loaded on the Spark worker"
    if isinstance(error, ImportError):
        hint += (
            f" (Python {sys.version.split()[0]}, {sys.executable}): the module is missing there; "
            "install it on the cluster, ship it with --py-files, sc.addPyFile or "
            "spark.addArtifact(path, pyfile=True), "
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
        known = {name: report[name] for name in ("started", "finished", "log")}
        return pickle.dumps({"status": "error", "failure": failure} | known)
