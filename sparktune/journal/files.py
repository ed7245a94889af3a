"""Writers of the bytes of a journal: one appends to a file, one rewrites whole objects where
appending is not possible.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any, Protocol

from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.journal.places import NONBLOCK, Local, Place, failing, place_of

logger = logging.getLogger("sparktune")

FLUSH_SECONDS = 10.0
"""Seconds for which a line waits if only whole objects can be written; more if writing would take
over a twentieth of the time.
"""

_WHOLE_OBJECTS = ("/dbfs/", "/Volumes/")  # mounts of Databricks, which cannot append

_WRITTEN: weakref.WeakSet[Appended] = weakref.WeakSet()


class Files(Protocol):
    """The protocol of writers of one journal."""

    @property
    def place(self) -> Place:
        """The place of the journal."""

    def open(self) -> None:
        """Start writing, and exclude other writers until `close`.

        Raises:
            InvalidArgument: another run writes to the journal.
            JournalFailed: the journal cannot be written.
        """

    def cut(self, size: int) -> None:
        """Drop everything after the first `size` bytes."""

    def append(self, line: bytes) -> None:
        """Add a line. It is on disk on return, or soon if only whole objects can be written."""

    def close(self) -> None:
        """Write everything to disk, and stop writing."""


def files_at(path: Any) -> Files:
    """The writer of a journal at a path, or at a URL that `fsspec` supports.

    Raises:
        InvalidArgument: `path` is neither a path nor such a URL.
    """
    place = place_of(path)
    if isinstance(place, Local) and not place.path.startswith(_WHOLE_OBJECTS):
        return Appended(place)
    return WholeObjects(place)


class Appended:
    """A file that grows by one synced line at a time, and is locked against other writers."""

    def __init__(self, place: Local) -> None:
        self.place = place
        self._file: Any = None
        self._size = 0
        self._made = False

    def open(self) -> None:
        """Open the file, and lock it."""
        path = self.place.path
        self._made = not os.path.exists(path)
        while self._file is None:
            with failing(path):
                file = open(path, "ab", 0, opener=_for_owner)  # noqa: SIM115
            try:
                _lock(file, path)
            except BaseException:
                file.close()
                raise
            if _is_gone(file, path):  # another run removed it before it was locked
                file.close()
            else:
                self._file, self._size = file, os.fstat(file.fileno()).st_size
        _WRITTEN.add(self)

    def cut(self, size: int) -> None:
        """Drop everything after the first `size` bytes."""
        with failing(self.place.path):
            self._file.truncate(size)
        self._size = size

    def append(self, line: bytes) -> None:
        """Add a line, and sync it to disk."""
        with failing(self.place.path):
            if self._file is None:
                raise OSError("it is not open in this process; only the process that opened it can")
            self._check_alone()
            while line:
                written = self._file.write(line)
                self._size += written
                line = line[written:]
            os.fsync(self._file.fileno())

    def _check_alone(self) -> None:
        """Detect other writers on file systems without locks."""
        if _is_gone(self._file, self.place.path):
            raise OSError("another process has removed or replaced it")
        if os.fstat(self._file.fileno()).st_size != self._size:
            raise OSError("another process has written to it")

    def close(self) -> None:
        """Close the file, which releases its lock; remove it if it is new and empty."""
        if self._file is None:
            return
        try:
            with failing(self.place.path):
                nothing = self._made and self._size == 0
                if nothing and not _is_gone(self._file, self.place.path) and self._is_empty():
                    os.unlink(os.path.realpath(self.place.path))
        finally:
            self.leave()

    def _is_empty(self) -> bool:
        return os.fstat(self._file.fileno()).st_size == 0

    def leave(self) -> None:
        """Close the file without any further change; its lines are on disk."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # an objective may have closed it
                self._file.close()
            self._file = None


def _leave_all() -> None:
    for each in list(_WRITTEN):
        each.leave()


if hasattr(os, "register_at_fork"):  # a forked process would hold the lock until it ends
    os.register_at_fork(after_in_child=_leave_all)


class WholeObjects:
    """A writer for places that cannot append. Some time after a line was added, it rewrites the
    whole journal, unless another process has written in between.
    """

    def __init__(self, place: Place, seconds: float = FLUSH_SECONDS) -> None:
        self.place = place
        self._seconds = seconds
        self._content = bytearray()
        self._written = b""
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._error: JournalFailed | None = None
        self._owner = 0

    def open(self) -> None:
        """Read the present content, to which lines are added."""
        self._owner = os.getpid()
        with failing(self.place.path):
            self._written = self._read()
        self._content = bytearray(self._written)

    def _read(self) -> bytes:
        try:
            with self.place.open() as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def cut(self, size: int) -> None:
        """Drop everything after the first `size` bytes."""
        del self._content[size:]

    def append(self, line: bytes) -> None:
        """Add a line, which is written soon.

        Raises:
            JournalFailed: earlier lines could not be written.
        """
        with self._lock:
            if self._error:
                raise self._error
            self._content += line
            if self._timer is None:
                self._timer = threading.Timer(self._seconds, self._flush)
                self._timer.daemon = True
                self._timer.start()

    def _flush(self) -> None:
        with self._lock:
            self._timer = None
            begun = time.monotonic()
            try:
                self._write()
            except JournalFailed as error:
                self._error = error
            self._seconds = max(self._seconds, 20 * (time.monotonic() - begun))

    def _write(self) -> None:
        if os.getpid() != self._owner or self._content == self._written:
            return
        with failing(self.place.path):
            if self._read() != self._written:
                raise OSError("another process has written to it")
        content = bytes(self._content)
        self.place.write(content)
        self._written = content

    def close(self) -> None:
        """Write all waiting lines."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            self._write()


@contextlib.contextmanager
def unused(place: Place) -> Iterator[None]:
    """A context in which no run writes to the journal.

    Raises:
        InvalidArgument: a run writes to it.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(place, Local) and os.path.exists(place.path):
            with contextlib.suppress(PermissionError):
                file = stack.enter_context(open(place.path, "ab", 0))
                _lock(file, place.path)
        yield


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags | NONBLOCK, 0o600)


def _is_gone(file: Any, path: str) -> bool:
    """Whether an open file was removed. On some mounts this cannot be detected."""
    if os.fstat(file.fileno()).st_nlink:
        return False
    try:
        return os.stat(path).st_nlink > 0
    except OSError:
        return True


def _lock(file: Any, path: str) -> None:
    """Refuse a second writer, on this machine or on a file system that shares its locks."""
    try:
        import fcntl
    except ImportError:  # Windows does not have these locks
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise InvalidArgument(
            f"the journal {path} is in use by another run; wait for it to end, or give another path"
        ) from None
    except OSError as error:
        logger.warning(
            "%s is on a file system without locks (%s): a second run that writes to it at the same "
            "time is only detected after it has written",
            path,
            error,
        )
