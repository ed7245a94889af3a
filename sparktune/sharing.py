"""Large objects that are sent to each worker process once, and not with every trial."""

from __future__ import annotations

import os
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """A handle to an object. `value` is the object, on the driver and on Spark workers."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.key = os.urandom(16).hex()

    def __repr__(self) -> str:
        return f"share(<{type(self.value).__name__}>)"


def share(value: T) -> Shared[T]:
    """A handle to a large object, for use in objectives and in search spaces.

        data = sparktune.share(load())  # a data frame, arrays, a model, ...

        def objective(point):
            X, y = data.value
            ...

    On Spark the object is pickled and sent to the cluster once per run. Each worker process
    unpickles it once, at the first `.value`. All trials of the process use this one object, so a
    trial sees the changes of earlier ones. Without Spark, `.value` is the object itself.

    Objects that an objective uses without a handle are also sent once, but unpickled for each
    trial, so that no trial sees the changes of another. This does not copy the memory of numpy
    arrays, of objects that consist of them (data frames, sparse matrices), and of objects that
    support out-of-band buffers (pickle protocol 5, such as those of Arrow). Their memory is one
    file on each machine, which trials map privately. Large `bytes` are copied once per process. The
    following are copied for each trial: containers of Python and their contents, including columns
    of Python objects; `str` and `bytearray`; and subclasses of numpy arrays, such as masked arrays.

    Use a handle for such objects if they are large and no trial changes them, for objects in the
    space, for objects that several objectives use, and for objects that only some trials need.

    Modules that an objective imports are imported once per process. Changes of their state persist,
    as always in Spark.
    """
    return Shared(value)
