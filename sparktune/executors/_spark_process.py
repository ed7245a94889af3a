"""The state that a worker process keeps between trials: shipped contents and shared objects.

The functions travel by value, as those of `_spark_task`.
"""

from __future__ import annotations

import gc
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sparktune.executors._spark_store import (
    Content,
    Loading,
    Where,
    forget_classes,
    opened,
)

Sources: TypeAlias = Mapping[str, tuple[str, Where]]

OBJECTIVE = "objective"
_KEPT = 300.0  # seconds that a process keeps what its trials do not need


class Handle:
    """A shared object on a worker. It is loaded at its first use."""

    def __init__(self, key: str) -> None:
        self.key = key

    @property
    def value(self) -> Any:
        """The object, the same one for all trials in this process."""
        return shared(self.key)


def begin(sources: Sources, fetch: Callable[[Any], bytes | str]) -> None:
    """Make the sources of a task known to this process, and forget what was not used lately.

    Raises:
        Missing: a source is not on this machine, and has not been sent.
    """
    process, now = process_state(), time.monotonic()
    process.update(sources=sources, fetch=fetch)
    contents, objects = process.setdefault("contents", {}), process.setdefault("objects", {})
    used = process.setdefault("used", {})
    used.update({digest: now for digest, _ in sources.values()})
    for digest in [digest for digest, last in used.items() if last < now - _KEPT]:
        for things in (contents, objects, used):
            things.pop(digest, None)
        gc.unfreeze()  # it may be in cycles
        process.pop("modules", None)
    for name, (_, (_, _, sent)) in sources.items():
        if sent is None:
            content_of(name)


def content_of(name: str) -> Content:
    """The opened content that was shipped under a name."""
    process = process_state()
    digest, where = process["sources"][name]
    if digest not in process["contents"]:
        process["contents"][digest] = opened(digest, where, process["fetch"])
    content: Content = process["contents"][digest]
    return content


def loaded(config: bytes) -> tuple[Any, Any]:
    """A new copy of the objective, and its argument."""
    objective, classes, memory = content_of(OBJECTIVE).load()
    loading = Loading(config)
    argument = loading.load()
    mapped = None if isinstance(memory, bytearray) else weakref.ref(memory)
    process_state()["trial"] = classes | loading.classes, mapped
    return objective, argument


def forget_trial() -> None:
    """Forget the classes that came with a trial, and free the memory that its objective mapped,
    which cycles may keep alive.

    Spark's workers collect garbage after each task. With scikit-learn loaded that takes tens of
    milliseconds, more than the rest of a short trial. So after a trial that imported modules, all
    objects that are left are exempt from later collections.
    """
    process = process_state()
    classes, mapped = process.pop("trial", (set(), None))
    forget_classes(classes - process.get("lasting", set()))
    imported = len(sys.modules) != process.get("modules")
    if imported or (mapped is not None and mapped() is not None):
        gc.collect()
    if imported:
        gc.freeze()
        process["modules"] = len(sys.modules)


def shared(key: str) -> Any:
    """A shared object, loaded at its first use in this process. Its classes stay loaded too."""
    process = process_state()
    digest, _ = process["sources"][key]
    if digest not in process["objects"]:
        process["objects"][digest], classes, _ = content_of(key).load()
        process.setdefault("lasting", set()).update(classes)
    return process["objects"][digest]


def process_state() -> dict[str, Any]:
    """The dict of what lasts as long as this process. Globals of this module do not last, because
    the module is sent by value and each job brings a new copy.
    """
    return sys.modules.setdefault("_sparktune", type(sys)("_sparktune")).__dict__
