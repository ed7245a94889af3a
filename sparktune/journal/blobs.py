"""Values that a journal keeps in files of their own, as pickles."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.journal.places import place_of


@dataclass(frozen=True)
class Blob:
    """A value that a journal keeps in a file of its own.

    Attributes:
        kind: the name of its class.
        digest: names its content, as its SHA-256; empty if it could not be kept.
        journal: path or URL of the journal.
    """

    kind: str
    digest: str
    journal: str

    def __repr__(self) -> str:
        return f"Blob({self.kind})"

    def load(self) -> Any:
        """The value. Unpickling can run code that the file names: load from journals you trust.

        Raises:
            InvalidArgument: the value could not be kept, or its file is gone, or was changed.
        """
        content = self.content()
        try:
            return pickle.loads(content)
        except Exception as error:
            raise InvalidArgument(
                f"this {self.kind} cannot be unpickled ({reason_of(error)}); what it was made with "
                "must be installed here"
            ) from error

    def content(self) -> bytes:
        """The content of its file.

        Raises:
            InvalidArgument: as `load`.
        """
        if not self.digest:
            raise InvalidArgument(f"this {self.kind} could not be pickled and was not kept")
        try:
            content = place_of(self.journal).blob(self.digest)
        except OSError as error:
            raise InvalidArgument(
                f"the file of this {self.kind} cannot be read: {error}; it belongs in "
                f"{self.journal}.blobs"
            ) from error
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise InvalidArgument(
                f"the file of this {self.kind}, {self.digest} in {self.journal}.blobs, was changed "
                "after it was written; restore it from a copy"
            )
        return content


def kind_of(value: Any) -> str:
    """The name of the class of a value."""
    if isinstance(value, Blob):
        return value.kind
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def reason_of(error: BaseException) -> str:
    """An error in one line, whatever its class does."""
    try:
        return f"{type(error).__name__}: {error!s:.200}"
    except Exception:
        return type(error).__name__


def pickled(value: Any) -> bytes:
    """A pickle of a value, by cloudpickle where it is installed and pickle cannot."""
    try:
        return pickle.dumps(value)
    except Exception:
        for cloudpickle in _cloudpickles():
            return bytes(cloudpickle.dumps(value))
        raise


def _cloudpickles() -> Iterator[Any]:
    for name in ("cloudpickle", "pyspark.cloudpickle"):
        with contextlib.suppress(ImportError):
            yield importlib.import_module(name)
