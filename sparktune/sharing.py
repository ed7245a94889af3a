"""Large objects that travel to each worker process once, and not with every trial."""

from __future__ import annotations

import uuid
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """A handle on an object; `value` is the object, here and in objectives on Spark workers."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.key = uuid.uuid4().hex

    def __repr__(self) -> str:
        return f"share(<{type(self.value).__name__}>)"


def share(value: T) -> Shared[T]:
    """A handle on a large object, for use in objectives and in search spaces.

        data = sparktune.share(load())  # a data frame, arrays, a model, ...

        def objective(point):
            X, y = data.value
            ...

    With `SparkTrials` the object is pickled once for each call of `fmin`, sent to the cluster once,
    and unpickled once by each worker process, at the first `.value`; all trials in that process
    see the same object, so do not change it. What an objective refers to without a handle travels
    the same way, together with the objective; a handle is for objects in the space, for objects
    that several objectives use, and for those that only some trials need. With `Trials` and
    `ThreadTrials` it is the object itself.
    """
    return Shared(value)
