"""Where a journal's bytes are: in a file that grows, or in a place that takes whole objects only.

Large values stand beside it, in `<journal>.blobs/<digest>`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Any, Protocol

from sparktune.errors import InvalidArgument, JournalFailed

FLUSH_SECONDS = 10.0
"""How long a line may wait, at most, where only whole objects can be written."""

_WHOLE_OBJECTS = ("/dbfs/", "/Volumes/")  # mounts of Databricks, which cannot append


class Files(Protocol):
    """The bytes of one journal."""

    def read(self) -> bytes:
        """All of it; empty if there is none."""

    def open(self) -> None:
        """Begin to write. Nobody else may write until `close`."""

    def cut(self, size: int) -> None:
        """Forget what is behind the first `size` bytes."""

    def append(self, line: bytes) -> None:
        """Add a line: on disk on return, or, where only whole objects can be written, soon."""

    def close(self) -> None:
        """End writing; everything is on disk."""

    def put(self, digest: str, content: bytes) -> None:
        """Store a large value under its digest."""

    def get(self, digest: str) -> bytes:
        """A large value; raises OSError if it is not there."""


def files_at(path: str) -> Files:
    """The files of a journal at a path, or at a URL that `fsspec` knows."""
    if "://" in path:
        return WholeObjects(Remote(path))
    local = Local(Path(path))
    if os.path.abspath(path).startswith(_WHOLE_OBJECTS):
        return WholeObjects(local)
    return Appended(local)


class Place(Protocol):
    """Reads and writes whole objects; blobs are at `name(digest)`."""

    path: str

    def read(self, name: str) -> bytes:
        """The object's content; raises FileNotFoundError if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write an object in one step: readers see the old content or the new."""


class Local:
    """Files of this machine, or on a mount."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def read(self, name: str) -> bytes:
        """The file's content."""
        return Path(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a file beside it, and rename."""
        target = Path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)


class Remote:
    """Objects at a URL, through fsspec."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise InvalidArgument(
                f"a journal at {url} needs fsspec, and the package for its kind of store: "
                "pip install 'sparktune[remote]'"
            ) from error
        self.path = url
        self._system, _ = fsspec.core.url_to_fs(url)

    def read(self, name: str) -> bytes:
        """The object's content."""
        content: bytes = self._system.cat_file(name)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Put the whole object."""
        self._system.pipe_file(name, content)


class _Blobs:
    """Large values beside a journal."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._put: set[str] = set()

    def put(self, digest: str, content: bytes) -> None:
        """Store a large value under its digest, once."""
        if digest not in self._put:
            with _failing(self.place.path):
                self.place.write(f"{self.place.path}.blobs/{digest}", content)
            self._put.add(digest)

    def get(self, digest: str) -> bytes:
        """A large value."""
        return self.place.read(f"{self.place.path}.blobs/{digest}")

    def read(self) -> bytes:
        """All of the journal; empty if there is none."""
        try:
            return self.place.read(self.place.path)
        except FileNotFoundError:
            return b""


class Appended(_Blobs):
    """A file that grows line by line, each synced to disk, locked against other writers."""

    def __init__(self, place: Local) -> None:
        super().__init__(place)
        self._file: Any = None

    def open(self) -> None:
        """Open the file, and lock it."""
        path = self.place.path
        with _failing(path):
            file = open(path, "ab", buffering=0)  # noqa: SIM115
        _lock(file, path)
        self._file = file

    def cut(self, size: int) -> None:
        """Forget what is behind the first `size` bytes."""
        with _failing(self.place.path):
            self._file.truncate(size)

    def append(self, line: bytes) -> None:
        """Add a line, and sync it to disk."""
        with _failing(self.place.path):
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, which ends its lock."""
        if self._file:
            empty = self._file.tell() == 0
            if empty:  # nothing came of it
                os.unlink(self.place.path)
            self._file.close()
            self._file = None


class WholeObjects(_Blobs):
    """A place that cannot append: the whole journal is written anew, at most `FLUSH_SECONDS` after
    a line came. If somebody else wrote meanwhile, it is refused.
    """

    def __init__(self, place: Place, seconds: float = FLUSH_SECONDS) -> None:
        super().__init__(place)
        self._seconds = seconds
        self._content = b""
        self._written = b""
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._error: JournalFailed | None = None

    def open(self) -> None:
        """Take over what is there."""
        self._content = self._written = self.read()

    def cut(self, size: int) -> None:
        """Forget what is behind the first `size` bytes."""
        self._content = self._content[:size]

    def append(self, line: bytes) -> None:
        """Add a line, to be written soon."""
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
            try:
                self._write()
            except JournalFailed as error:
                self._error = error

    def _write(self) -> None:
        if self._content == self._written:
            return
        with _failing(self.place.path):
            if self.read() != self._written:
                raise OSError("somebody else has written to it")
            self.place.write(self.place.path, self._content)
        self._written = self._content

    def close(self) -> None:
        """Write what waits."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
                self._timer = None
            self._write()


@contextlib.contextmanager
def _failing(path: str) -> Any:
    try:
        yield
    except OSError as error:
        raise JournalFailed(
            f"the journal {path} cannot be written: {error}. Finished trials are kept in `trials`"
        ) from error


def _lock(file: Any, path: str) -> None:
    """Refuse a second writer, on this machine or on a file system that shares its locks."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise InvalidArgument(
            f"the journal {path} is in use by another run; wait for it to end, or give another path"
        ) from None
