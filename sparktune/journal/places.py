"""Where a journal and its large values are: files of this machine, or objects at a URL.

Large values stand beside a journal, in `<journal>.blobs/<digest>`. Files are made for their owner
only; those that replace another keep its permissions.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from sparktune.errors import InvalidArgument, JournalFailed

NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a pipe that nobody writes to returns
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Place(Protocol):
    """Where a journal and its large values are. Holds nothing open."""

    path: str

    def check(self) -> None:
        """Refuse a path where no journal can be.

        Raises:
            InvalidArgument: it is that of something else, or its folder does not exist.
        """

    def open(self) -> BinaryIO:
        """The journal, to be read; raises FileNotFoundError if there is none, and OSError."""

    def write(self, content: bytes) -> None:
        """Write the whole journal in one step: readers see the old content or the new.

        Raises:
            JournalFailed: it cannot be written.
        """

    def blob(self, digest: str) -> bytes:
        """The content of a large value; raises OSError."""

    def put_blob(self, digest: str, content: bytes) -> None:
        """Store the content of a large value under its digest.

        Raises:
            JournalFailed: it cannot be written.
        """

    def remove_blob(self, digest: str) -> None:
        """Remove a large value; raises OSError."""


def place_of(path: Any) -> Place:
    """The place at a path, which is made absolute, or at a URL that `fsspec` knows.

    Raises:
        InvalidArgument: it is neither.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(text, str) or not text or "\0" in text or not _has_bytes(text):
        raise InvalidArgument(f"a journal must be given by its path or URL, got {path!r}")
    if "://" in text:
        return Remote(text)
    try:
        return Local(os.path.abspath(text))
    except OSError as error:
        raise InvalidArgument(
            f"the working directory is gone ({error}); give an absolute path instead of {text!r}"
        ) from error


def _has_bytes(path: str) -> bool:
    try:
        return bool(os.fsencode(path))
    except UnicodeEncodeError:
        return False


class Local:
    """Files of this machine, or on a mount."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self) -> BinaryIO:
        """The journal, to be read."""
        return _regular(self.path)

    def check(self) -> None:
        """Refuse a path where no regular file can be."""
        if not can_be_file(self.path):
            raise InvalidArgument(
                "journal must be the path of a file in a folder that exists, or a URL, "
                f"got {self.path!r}"
            )

    def write(self, content: bytes) -> None:
        """Replace the file."""
        with failing(self.path):
            replace_file(self.path, content)

    def blob(self, digest: str) -> bytes:
        """The content of a file beside the journal; links are not followed."""
        with _regular(f"{self.path}.blobs/{digest}", _NOFOLLOW) as file:
            return file.read()

    def put_blob(self, digest: str, content: bytes) -> None:
        """Write a file beside the journal, for those who may read the journal."""
        folder, mode = f"{self.path}.blobs", _mode(self.path)
        with failing(self.path):
            os.makedirs(folder, 0o300 | mode | (mode & 0o444) >> 2, exist_ok=True)
            replace_file(f"{folder}/{digest}", content, mode)

    def remove_blob(self, digest: str) -> None:
        """Remove a file beside the journal."""
        os.unlink(f"{self.path}.blobs/{digest}")


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
        try:
            if len(url.partition("://")[0]) < 2:  # fsspec takes a letter for a drive of Windows
                raise ValueError("this is not a URL")
            self._system, _ = fsspec.core.url_to_fs(url)
        except Exception as error:
            raise InvalidArgument(
                f"the journal {url} cannot be opened ({error}); give a path, or a URL of a store "
                "that fsspec knows and whose package is installed"
            ) from error

    def open(self) -> BinaryIO:
        """The object, to be read."""
        return io.BytesIO(self._read(self.path))

    def check(self) -> None:
        """Does nothing: errors appear when the journal is written."""

    def write(self, content: bytes) -> None:
        """Put the whole object."""
        self._write(self.path, content)

    def blob(self, digest: str) -> bytes:
        """The content of an object beside the journal."""
        return self._read(f"{self.path}.blobs/{digest}")

    def put_blob(self, digest: str, content: bytes) -> None:
        """Put an object beside the journal."""
        self._write(f"{self.path}.blobs/{digest}", content)

    def remove_blob(self, digest: str) -> None:
        """Remove an object beside the journal."""
        with _as_oserror():
            self._system.rm_file(f"{self.path}.blobs/{digest}")

    def _read(self, name: str) -> bytes:
        with _as_oserror():
            content: bytes = self._system.cat_file(name)
        return content

    def _write(self, name: str, content: bytes) -> None:
        with failing(self.path), _as_oserror():
            self._system.pipe_file(name, content)


def can_be_file(path: str) -> bool:
    """Whether there is a regular file at a path, or one can be made in its folder."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return os.path.isdir(os.path.dirname(os.path.realpath(path)))
    except (OSError, ValueError):
        return False


def _regular(path: str, flags: int = 0) -> BinaryIO:
    """A regular file, to be read; pipes, devices and folders are refused, and never waited for."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(f"{path} is not a regular file")
    return open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags | NONBLOCK))


def _mode(path: str) -> int:
    """The permissions of a file; those for its owner only, where there is none."""
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        return 0o600


def replace_file(path: str, content: bytes, mode: int | None = None) -> None:
    """Write a whole file in one step. A link stays one, the permissions stay as they were.

    Args:
        mode: permissions; None: those of the file before.
    """
    import tempfile  # here, as it would take a tenth of the time to import sparktune

    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    descriptor, unfinished = tempfile.mkstemp(".tmp", f".{name[:64]}.", folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # on mounts that have none
            os.chmod(unfinished, _mode(target) if mode is None else mode)
        os.replace(unfinished, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


@contextlib.contextmanager
def failing(path: str) -> Iterator[None]:
    """Turn errors of the system into JournalFailed."""
    try:
        yield
    except JournalFailed:
        raise
    except OSError as error:
        raise JournalFailed(
            f"the journal {path} cannot be written: {error}. Finished trials are kept in `trials`"
        ) from error


@contextlib.contextmanager
def _as_oserror() -> Iterator[None]:
    """Any exception of a store as an OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
