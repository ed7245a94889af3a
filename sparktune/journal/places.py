"""Places of a journal and its large values: local files, or objects at a URL.

Large values are stored beside a journal, in `<journal>.blobs/<digest>`. New files are readable by
their owner only; a file that replaces another one keeps its permissions.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from sparktune.errors import InvalidArgument, JournalFailed

NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # so that opening a pipe without a writer returns
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Place(Protocol):
    """The protocol of places of a journal and its large values. A place keeps no file open."""

    path: str

    def check(self) -> None:
        """Check that a journal can be at this place.

        Raises:
            InvalidArgument: the path is not a regular file, or its folder does not exist.
        """

    def open(self) -> BinaryIO:
        """Open the journal for reading.

        Raises:
            FileNotFoundError: there is no journal.
            OSError: the journal cannot be read.
        """

    def write(self, content: bytes) -> None:
        """Replace the whole journal in one step: readers see either the old or the new content.

        Raises:
            JournalFailed: the journal cannot be written.
        """

    def blob(self, digest: str) -> bytes:
        """The content of a large value; raises OSError if it cannot be read."""

    def put_blob(self, digest: str, content: bytes, lasting: bool = True) -> None:
        """Store the content of a large value under its digest. What is not `lasting` may be lost if
        the machine stops at once.

        Raises:
            JournalFailed: the content cannot be written.
        """

    def remove_blob(self, digest: str) -> None:
        """Remove a large value; raises OSError if it cannot be removed."""


def place_of(path: Any) -> Place:
    """The place at a path, which is made absolute, or at a URL that `fsspec` supports.

    Raises:
        InvalidArgument: `path` is neither a path nor such a URL.
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
            f"the working directory was removed ({error}); give an absolute path instead of "
            f"{text!r}"
        ) from error


def _has_bytes(path: str) -> bool:
    try:
        return bool(os.fsencode(path))
    except UnicodeEncodeError:
        return False


class Local:
    """The place of files on this machine, or on a mount."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self) -> BinaryIO:
        """Open the journal for reading."""
        return _regular(self.path)

    def check(self) -> None:
        """Check that the path can be a regular file."""
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

    def put_blob(self, digest: str, content: bytes, lasting: bool = True) -> None:
        """Write a file beside the journal, with the permissions of the journal."""
        folder, mode = f"{self.path}.blobs", _mode(self.path)
        with failing(self.path):
            os.makedirs(folder, 0o300 | mode | (mode & 0o444) >> 2, exist_ok=True)
            replace_file(f"{folder}/{digest}", content, mode, lasting)

    def remove_blob(self, digest: str) -> None:
        """Remove a file beside the journal."""
        os.unlink(f"{self.path}.blobs/{digest}")


class Remote:
    """The place of objects at a URL, accessed with fsspec."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise InvalidArgument(
                f"a journal at {url} needs fsspec and the package for its store; install both: "
                "pip install 'sparktune[remote]'"
            ) from error
        self.path = url
        try:
            if len(url.partition("://")[0]) < 2:  # for fsspec, one letter is a drive of Windows
                raise ValueError("this is not a URL")
            self._system, _ = fsspec.core.url_to_fs(url)
        except Exception as error:
            raise InvalidArgument(
                f"the journal {url} cannot be opened ({error}); give a path, or a URL of a store "
                "that fsspec supports and whose package is installed"
            ) from error

    def open(self) -> BinaryIO:
        """Read the object into memory, and open that for reading."""
        return io.BytesIO(self._read(self.path))

    def check(self) -> None:
        """Do nothing: errors appear when the journal is written."""

    def write(self, content: bytes) -> None:
        """Replace the whole object."""
        self._write(self.path, content)

    def blob(self, digest: str) -> bytes:
        """The content of an object beside the journal."""
        return self._read(f"{self.path}.blobs/{digest}")

    def put_blob(self, digest: str, content: bytes, lasting: bool = True) -> None:
        """Write an object beside the journal."""
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
    """Whether a path is a regular file, or does not exist in a folder that does."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return os.path.isdir(os.path.dirname(os.path.realpath(path)))
    except (OSError, ValueError):
        return False


def _regular(path: str, flags: int = 0) -> BinaryIO:
    """Open a regular file for reading. Raises OSError for pipes, devices and folders, and never
    waits for them.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(f"{path} is not a regular file")
    return open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags | NONBLOCK))


def _mode(path: str) -> int:
    """The permissions of a file; those of a private file if it does not exist."""
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        return 0o600


def replace_file(path: str, content: bytes, mode: int | None = None, lasting: bool = True) -> None:
    """Write a whole file in one step. If `path` is a link, its target is replaced.

    Args:
        path: the path of the file.
        content: the new content.
        mode: the permissions; None: those of the existing file.
        lasting: whether to wait until the disk has it.
    """
    import tempfile  # imported here, because it takes a tenth of the time to import sparktune

    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    descriptor, unfinished = tempfile.mkstemp(".tmp", f".{name[:64]}.", folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # on mounts without permissions
            os.chmod(unfinished, _mode(target) if mode is None else mode)
        os.replace(unfinished, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


@contextlib.contextmanager
def failing(path: str) -> Iterator[None]:
    """Raise JournalFailed for errors of the system."""
    try:
        yield
    except JournalFailed:
        raise
    except OSError as error:
        raise JournalFailed(
            f"the journal {path} cannot be written: {error}. Finished trials are in the study, "
            "and in `trials` of fmin"
        ) from error


@contextlib.contextmanager
def _as_oserror() -> Iterator[None]:
    """Raise OSError for any exception of a store."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
