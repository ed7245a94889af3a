"""How objectives and parameters are pickled for Spark's workers: large memory apart, handles on
shared objects, broadcast variables of the user's, and a clear error for what belongs to
Spark's driver.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark import cloudpickle

from sparktune import tracked, worker
from sparktune.errors import ObjectiveNotPicklable
from sparktune.executors import _budget, _spark_process, _spark_state, _spark_store, _spark_task
from sparktune.sharing import Shared

_ON_DRIVER = ("SparkSession", "SparkContext", "DataFrame", "RDD", "PipelinedRDD")

for _module in (worker, tracked, _budget, _spark_process, _spark_state, _spark_store, _spark_task):
    cloudpickle.register_pickle_by_value(_module)


class OnDriver(TypeError):
    """An object belongs to Spark's driver and cannot be sent to workers."""


@dataclass(frozen=True)
class Pickled:
    """A pickle in pieces, and what it refers to: shared objects by their keys; the user's broadcast
    variables by their numbers; and whether there are accumulators in it.
    """

    pieces: Sequence[Any]
    shared: dict[str, Shared[Any]] = field(default_factory=dict)
    broadcasts: dict[int, Any] = field(default_factory=dict)
    accumulates: bool = False

    @property
    def size(self) -> int:
        """The size in bytes."""
        return sum(map(len, self.pieces))

    @property
    def name(self) -> str:
        """A name computed from the content."""
        digest = hashlib.blake2b(digest_size=16)
        for piece in self.pieces:
            digest.update(piece)
        return f"sparktune-{digest.hexdigest()}"


def with_memory_apart(thing: Any, described: str) -> Pickled:
    """An object that is loaded again and again, laid out as `_spark_store` describes.

    Raises:
        ObjectiveNotPicklable: the thing cannot travel.
    """
    _register_travelling_modules()
    pickler = _Apart()
    try:
        pickler.dump(thing)
        buffers = [buffer.raw() for buffer in pickler.buffers]
    except Exception as error:
        raise unpicklable(described, error) from error
    pieces = _spark_store.laid_out(pickler.file.getbuffer(), pickler.constants, buffers)
    return Pickled(pieces, pickler.shared, pickler.broadcasts, pickler.accumulates)


def _register_travelling_modules() -> None:
    """Modules of this package that say so travel by value, so that workers need no sparktune."""
    for name, module in [*sys.modules.items()]:
        if name.startswith("sparktune.") and getattr(module, "TRAVELS", False):
            cloudpickle.register_pickle_by_value(module)


def whole(thing: Any) -> Pickled:
    """The pickle of an object that is loaded once, such as the parameters of a trial."""
    pickler = _Pickler()
    pickler.dump(thing)
    return Pickled(
        [pickler.file.getvalue()], pickler.shared, pickler.broadcasts, pickler.accumulates
    )


_CloudPickler: Any = cloudpickle.Pickler


class _Pickler(_CloudPickler):  # type: ignore[misc]
    """Pickles shared objects as handles, broadcast variables as numbers, and collects both."""

    def __init__(self, **options: Any) -> None:
        self.file = io.BytesIO()
        super().__init__(self.file, **options)
        self.shared: dict[str, Shared[Any]] = {}
        self.broadcasts: dict[int, Any] = {}
        self.accumulates = False

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Shared):
            self.shared[obj.key] = obj
            return _spark_process.Handle, (obj.key,)
        if _is_spark(obj, "Accumulator"):
            self.accumulates = True
        if _is_spark(obj, "Broadcast"):
            number = int(obj._jbroadcast.id())
            self.broadcasts[number] = obj
            return _spark_task.users_broadcast, (number,)
        refuse_what_is_on_the_driver(obj)
        return super().reducer_override(obj)


class _Apart(_Pickler):
    """Keeps the memory of arrays and large `bytes` outside of the pickle."""

    def __init__(self) -> None:
        self.buffers: list[pickle.PickleBuffer] = []
        self.constants: list[bytes] = []
        self._numbers: dict[int, int] = {}
        super().__init__(protocol=5, buffer_callback=self.buffers.append)

    def persistent_id(self, obj: Any) -> int | None:
        """The number of a constant."""
        if type(obj) is not bytes or len(obj) < _spark_store.LARGE:
            return None
        if id(obj) not in self._numbers:
            self._numbers[id(obj)] = len(self.constants)
            self.constants.append(obj)  # which keeps it, and so its id
        return self._numbers[id(obj)]

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is _Copied:
            return bytes, (pickle.PickleBuffer(obj.content),)
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(obj, numpy.ndarray) and not obj.dtype.hasobject:
            return _reduced_array(numpy, obj)
        return super().reducer_override(obj)


@dataclass(frozen=True)
class _Copied:
    """Is unpickled as `bytes` that only this trial uses."""

    content: bytes


def _reduced_array(numpy: Any, array: Any) -> Any:
    """Arrays whose memory numpy itself does not put apart: those that are not contiguous become so,
    and times are taken for the numbers that they are. Others are unpickled from bytes, which numpy
    makes their memory, to be written to; so each trial needs bytes of its own.
    """
    if type(array) is not numpy.ndarray:
        return _copying(array.__reduce_ex__(5))
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = array.copy()
    if array.dtype.kind in "mM":
        return numpy.ndarray.view, (array.view(numpy.int64), array.dtype)
    return _copying(array.__reduce_ex__(5))


def _copying(reduced: Any) -> Any:
    if type(reduced) is tuple:
        return tuple(map(_copying, reduced))
    return _Copied(reduced) if type(reduced) is bytes else reduced


def _is_spark(obj: Any, name: str) -> bool:
    return type(obj).__name__ == name and str(type(obj).__module__).startswith("pyspark.")


def refuse_what_is_on_the_driver(obj: Any) -> None:
    """Raise an error for what belongs to Spark's driver: sessions, data frames, and whatever else
    holds an object of Spark's JVM, or of a Spark Connect client.
    """
    kind = type(obj)
    module = str(kind.__module__)
    if module.startswith("py4j."):
        raise OnDriver(f"there is an object of Spark's JVM in it ({kind.__name__})")
    if not module.startswith("pyspark.") or issubclass(kind, BaseException):
        return
    held = getattr(obj, "__dict__", {})
    if (
        kind.__name__ in _ON_DRIVER
        or module.startswith("pyspark.sql.connect.")
        or "_java_obj" in held
        or any(type(value).__module__.startswith("py4j.") for value in held.values())
    ):
        raise OnDriver(f"there is a Spark {kind.__name__} in it")


def unpicklable(described: str, error: Exception) -> ObjectiveNotPicklable:
    """The error that names what cannot be pickled, and says what to do."""
    text = worker.text_of(error)
    hint = "Create what cannot be pickled (connections, locks, open files) inside it."
    if isinstance(error, OnDriver) or "CONTEXT_ONLY_VALID_ON_DRIVER" in text or "py4j" in text:
        hint = (
            "It refers to Spark itself, which exists only on the driver: use ThreadTrials "
            "or on=Threads(4) for objectives that start Spark jobs."
        )
    kind = "TypeError" if isinstance(error, OnDriver) else type(error).__name__
    return ObjectiveNotPicklable(
        f"{described} cannot be sent to Spark workers: {kind}: {text}. {hint}"
    )
