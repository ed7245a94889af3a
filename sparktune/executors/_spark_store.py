"""Objects that a worker loads again for each trial without copying what is large in them. Travels
to the workers by value.

An object is pickled with protocol 5: a small pickle, and the memory of its arrays apart from it.
Both are parts of one content, which is a file where it is large. There is one such file for all
processes of a machine. Each load maps it copy-on-write: what is written to the memory of an array
is seen by its own trial, and costs the pages that are touched.

The layout of a content, numbers being unsigned, little-endian, of 64 bits: the number of its parts;
how many of them are constants; offset and size of each part; the parts, each at a multiple of 64
bytes. The first part is the pickle, then come the constants (large `bytes`, which cannot be mapped
and cannot be changed, so that a process holds one copy), then the buffers.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import pickle
import stat
import struct
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

LARGE = 2**20  # bytes; a larger content is a file
_ALIGNED = 64

# (path of the file where the driver runs, or None; size; where else it can be had, or None)
Where = tuple[str | None, int, Any]


class Missing(Exception):
    """This machine does not have the content, and it has not been sent."""


def laid_out(pickled: Any, constants: Sequence[Any], buffers: Sequence[Any]) -> list[Any]:
    """The pieces of a content, in the order in which they are written."""
    parts = [pickled, *constants, *buffers]
    table, pieces = [len(parts), len(constants)], []
    end = 8 * (2 + 2 * len(parts))
    for part in parts:
        start = -(-end // _ALIGNED) * _ALIGNED
        pieces += [bytes(start - end), part]
        table += [start, len(part)]
        end = start + len(part)
    return [struct.pack(f"<{len(table)}Q", *table), *pieces]


class Content:
    """A content on a worker. `source` is an open file, or bytes."""

    def __init__(self, source: int | bytes, size: int) -> None:
        self.source = source
        self.size = size
        self._constants: list[bytes] | None = None
        if isinstance(source, int):
            weakref.finalize(self, os.close, source)

    def load(self) -> tuple[Any, set[str], Any]:
        """A new object, the identifiers of the classes that its pickle defines, and the memory that
        it refers to.
        """
        memory = self._memory()
        view = memoryview(memory)
        count, constants = struct.unpack_from("<2Q", view)
        table = struct.unpack_from(f"<{2 * count}Q", view, 16)
        parts = [view[at : at + size] for at, size in zip(table[::2], table[1::2], strict=True)]
        if self._constants is None:
            self._constants = [bytes(part) for part in parts[1 : 1 + constants]]
        loading = Loading(parts[0], self._constants, parts[1 + constants :])
        return loading.load(), loading.classes, memory

    def _memory(self) -> Any:
        """Private memory with the content."""
        if isinstance(self.source, int):
            return mmap.mmap(self.source, self.size, access=mmap.ACCESS_COPY)
        return bytearray(self.source)


class Loading(pickle.Unpickler):
    """Notes the classes that a pickle defines: cloudpickle keeps them by identifiers."""

    def __init__(self, pickled: Any, constants: Sequence[bytes] = (), buffers: Any = ()) -> None:
        super().__init__(io.BytesIO(pickled), buffers=buffers)
        self.constants = constants
        self.classes: set[str] = set()

    def persistent_load(self, pid: Any) -> Any:
        """The constant that a persistent id stands for."""
        return self.constants[pid]

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that a pickle refers to."""
        found = super().find_class(module, name)
        if name not in ("_make_skeleton_class", "_make_skeleton_enum"):
            return found

        def noting(*arguments: Any) -> Any:
            self.classes.add(arguments[-2])
            return found(*arguments)

        return noting


def forget_classes(identifiers: set[str]) -> None:
    """Make the next pickle define these classes again."""
    for module in ("pyspark.cloudpickle.cloudpickle", "cloudpickle.cloudpickle"):
        known = getattr(sys.modules.get(module), "_DYNAMIC_CLASS_TRACKER_BY_ID", {})
        for identifier in identifiers:
            known.pop(identifier, None)


def opened(name: str, where: Where, fetch: Callable[[Any], bytes | str]) -> Content:
    """A content: the driver's file if this is its machine, else what `fetch` gives, which is the
    bytes, or the path of a file.

    Raises:
        Missing: it is not here, and it has not been sent.
    """
    path, size, sent = where
    file = owned(path, size) if path else None
    if file is not None:
        return Content(file, size)
    if sent is None:
        raise Missing(name)
    if size > LARGE:
        file = machines(name, size, lambda: fetch(sent))
        if file is not None:
            return Content(file, size)
    fetched = fetch(sent)
    if isinstance(fetched, str):
        with open(fetched, "rb") as given:
            fetched = given.read()
    return Content(fetched, size)


def owned(path: str, size: int) -> int | None:
    """A file opened for reading; None unless it exists, is complete, and belongs to this user."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and (found.st_uid, found.st_size) == (os.geteuid(), size):
        return file
    os.close(file)
    return None


def machines(name: str, size: int, content: Callable[[], bytes | str]) -> int | None:
    """This machine's file of a name, opened; built by the first process that asks. None where none
    can be built.

    It lies in a folder of Spark's own, which Spark removes; a link in the user's folder leads other
    executors to it.
    """
    try:
        with locked(users_folder()) as folder:
            link = os.path.join(folder, name)
            file = owned(os.path.realpath(link), size)
            if file is None:
                found = content()
                path = found if isinstance(found, str) else written(name, found)
                file = owned(path, size)
                if file is not None:
                    relink(link, path)
            return file
    except OSError:
        return None


def users_folder() -> str:
    """A folder for this user's links to files; nobody else can write to it."""
    folder = os.path.join(tempfile.gettempdir(), f"sparktune-{os.geteuid()}")
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder


@contextlib.contextmanager
def locked(folder: str) -> Iterator[str]:
    """Lock a folder. The lock ends with the process that holds it."""
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def written(name: str, content: bytes) -> str:
    """Write a complete new file that only this user can read; return its path."""
    folder = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0]
    if not os.access(folder, os.W_OK):
        folder = tempfile.gettempdir()
    handle, path = tempfile.mkstemp(prefix=f"{name}-", dir=folder)
    try:
        with open(handle, "wb") as file:
            file.write(content)
    except BaseException:
        os.remove(path)
        raise
    return path


def relink(link: str, path: str) -> None:
    """Point a link to a file, and remove broken links beside it."""
    for entry in os.scandir(os.path.dirname(link)):
        if entry.path == link or not os.path.exists(entry.path):
            os.remove(entry.path)
    os.symlink(path, link)
