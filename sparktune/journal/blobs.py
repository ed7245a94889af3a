"""Values that a journal stores in separate files, as pickles."""

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
    """A value that a journal stores in a separate file.

    Attributes:
        kind: the name of the class of the value.
        digest: the SHA-256 of the file, which is also its name; empty if it could not be stored.
        journal: path or URL of the journal.
    """

    kind: str
    digest: str
    journal: str

    def __repr__(self) -> str:
        return f"Blob({self.kind})"

    def load(self) -> Any:
        """The value. Unpickling can execute code from the file: only load from journals you trust.

        Raises:
            InvalidArgument: the value was not stored or cannot be unpickled, or its file is missing
                or was changed.
        """
        content = self.content()
        try:
            return pickle.loads(content)
        except Exception as error:
            raise InvalidArgument(
                f"this {self.kind} cannot be unpickled ({reason_of(error)}); install the packages "
                "that it was made with"
            ) from error

    def content(self) -> bytes:
        """The pickle of the value.

        Raises:
            InvalidArgument: the value was not stored, or its file is missing or was changed.
        """
        if not self.digest:
            raise InvalidArgument(f"this {self.kind} could not be pickled and was not stored")
        try:
            content = place_of(self.journal).blob(self.digest)
        except OSError as error:
            raise InvalidArgument(
                f"the file of this {self.kind} cannot be read: {error}; it should be in "
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
    """The type and message of an error; only the type if its message raises."""
    try:
        return f"{type(error).__name__}: {error!s:.200}"
    except Exception:
        return type(error).__name__


def pickled(value: Any) -> bytes:
    """The pickle of a value, made with cloudpickle if pickle fails and cloudpickle is installed."""
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
