"""Large objects that travel to each worker process once, and not with every trial."""

from __future__ import annotations

import os
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """A handle on an object; `value` is the object, here and in objectives on Spark workers."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.key = os.urandom(16).hex()

    def __repr__(self) -> str:
        return f"share(<{type(self.value).__name__}>)"


def share(value: T) -> Shared[T]:
    """A handle on a large object, for use in objectives and in search spaces.

        data = sparktune.share(load())  # a data frame, arrays, a model, ...

        def objective(point):
            X, y = data.value
            ...

    With `SparkTrials` the object is pickled once for each call of `fmin`, sent to the cluster once,
    and unpickled once by each worker process, at the first `.value`. All trials in that process use
    this one object: a later trial sees what an earlier one changed in it. With `Trials` and
    `ThreadTrials` it is the object itself.

    What an objective refers to without a handle travels with it, once too, but is loaded again for
    each trial, so that no trial sees what another did. This does not copy the memory of numpy
    arrays, of objects made of them (data frames, sparse matrices), or of objects that offer their
    memory to pickle (protocol 5, as Arrow does): it is one file on each machine, which trials map
    privately. Large `bytes` are copied once by each process. Copied for each trial are Python's own
    containers and their contents, so also columns of Python objects; `str` and `bytearray`; and
    arrays of types derived from numpy's, such as masked arrays. A handle is for those if they are
    large and no trial changes them, for objects in the space, for objects that several objectives
    use, and for those that only some trials need.

    Modules that an objective imports are imported once by each process; changes in them persist, as
    everywhere in Spark.
    """
    return Shared(value)
