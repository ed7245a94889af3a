"""Values as JSON, and the ones that JSON cannot hold as files of their own.

None, bool, int, float, str, list, dict with text as keys    themselves
numbers of numpy                                             the Python number
tuples; infinite floats and NaN                              {"$tuple": [...]}, {"$float": "nan"}
everything else                                              {"$blob": digest, "kind": class}
"""

from __future__ import annotations

import hashlib
import logging
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sparktune.errors import InvalidArgument

logger = logging.getLogger("sparktune")

Put = Callable[[str, bytes], None]
Get = Callable[[str], bytes]


@dataclass(frozen=True)
class Blob:
    """A value that a journal keeps in a file of its own.

    Attributes:
        kind: the name of its class.
        digest: names its content; empty if it could not be kept.
    """

    kind: str
    digest: str
    get: Get

    def __repr__(self) -> str:
        return f"Blob({self.kind})"

    def load(self) -> Any:
        """The value. Unpickling can run code that the file names: load from journals you trust.

        Raises:
            InvalidArgument: the value could not be kept, or its file is gone.
        """
        if not self.digest:
            raise InvalidArgument(f"this {self.kind} could not be pickled and was not kept")
        try:
            content = self.get(self.digest)
        except OSError as error:
            raise InvalidArgument(
                f"the file of this {self.kind} cannot be read: {error}"
            ) from error
        return pickle.loads(content)


def encode(value: Any, put: Put) -> Any:
    """The value as JSON holds it; `put(digest, content)` stores what it cannot."""
    plain = _scalar(value)
    if plain is not None or value is None:
        return plain
    if type(value) is list:
        return [encode(item, put) for item in value]
    if type(value) is tuple:
        return {"$tuple": [encode(item, put) for item in value]}
    if isinstance(value, Mapping) and all(type(key) is str and key[:1] != "$" for key in value):
        return {key: encode(item, put) for key, item in value.items()}
    return _blob(value, put)


def _scalar(value: Any) -> Any:
    """Numbers, texts and bools as JSON holds them; None for everything else."""
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ != "ndarray" and hasattr(value, "item"):
        value = value.item()
        kind = type(value)
    if kind is float and (value != value or value in (float("inf"), -float("inf"))):
        return {"$float": repr(value)}
    return value if kind in (bool, int, float, str) else None


def _blob(value: Any, put: Put) -> dict[str, str]:
    if isinstance(value, Blob):
        return {"$blob": value.digest, "kind": value.kind}
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    try:
        content = pickle.dumps(value)
    except Exception as error:
        logger.warning("a %s in a result cannot be pickled and is not kept: %s", kind, error)
        return {"$blob": "", "kind": kind}
    digest = hashlib.sha256(content).hexdigest()
    put(digest, content)
    return {"$blob": digest, "kind": kind}


def decoder(get: Get) -> Callable[[dict[str, Any]], Any]:
    """The `object_hook` of `json.loads` that reads what `encode` wrote."""

    def decode(found: dict[str, Any]) -> Any:
        if "$tuple" in found:
            return tuple(found["$tuple"])
        if "$float" in found:
            return float(found["$float"])
        if "$blob" in found:
            return Blob(found["kind"], found["$blob"], get)
        return found

    return decode
