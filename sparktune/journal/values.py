"""Conversion of values to JSON, and to separate files if JSON cannot hold them.

None, bool, int, float, str, list, dict     unchanged
scalars of numpy, members of StrEnum and IntEnum, other subclasses of int, float and str
                                            the plain value, which is equal
tuple                                       {"$tuple": [...]}
infinite floats and NaN                     {"$float": "nan"}
keys that are not str, or begin with $     {..., "$items": [[key, value], ...]}
everything else                             {"$blob": digest, "kind": class}
"""

from __future__ import annotations

import hashlib
import re
import reprlib
from collections.abc import Mapping
from typing import Any

from sparktune.errors import JournalFailed
from sparktune.journal.blobs import Blob, kind_of, pickled, reason_of
from sparktune.journal.places import Place

_DEEPEST = 100
"""Most levels of nesting in a line."""
_LARGEST = 64_000_000
"""Approximate size in bytes above which a value is stored in a separate file."""
_LARGEST_INT = 10**600
"""Python reads integers of 640 digits for any setting of its limit."""

_EXACT: dict[type, Any] = {int: int.__int__, float: float.__float__, str: str.__str__}


class Encoder:
    """Encodes values for the lines of a journal.

    Args:
        place: the place of the journal, beside which large values are stored.

    Attributes:
        lost: the values that could not be stored, with the reasons; the caller empties this list.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._name: tuple[str, Any] = "", None
        self._room = 0
        self._seen: set[int] = set()
        self._filed: dict[int, tuple[Any, dict[str, str]]] = {}
        self._put: set[str] = set()
        self.lost: list[str] = []

    def items(self, values: Mapping[Any, Any], name: str) -> dict[str, Any]:
        """A dict as JSON. A value that cannot be stored does not affect the others.

        Args:
            values: the dict.
            name: the name of the dict in messages about lost values.

        Raises:
            JournalFailed: a large value cannot be written.
        """
        plain, odd = {}, []
        for key, value in [*values.items()]:
            encoded = self.value(value, name, key)
            if type(key) is str and key[:1] != "$":
                plain[key] = encoded
            else:
                odd.append([self.value(key, f"a key of {name}"), encoded])
        return plain | {"$items": odd} if odd else plain

    def value(self, value: Any, name: str, key: Any = None) -> Any:
        """A value as JSON.

        Args:
            value: the value.
            name, key: the name and key of the value in messages about lost values.

        Raises:
            JournalFailed: a large value cannot be written.
        """
        kind = type(value)
        if (kind is float and value - value == 0) or kind is bool:  # the most frequent types
            return value
        self._name, self._room, self._filed = (name, key), _LARGEST, {}
        self._seen.clear()
        try:
            return self._encode(value, ())
        except JournalFailed:
            raise
        except Exception:  # raised by the value's methods, or because it is endless or too large
            return self._file(value)

    def _encode(self, value: Any, around: tuple[int, ...]) -> Any:
        plain = _scalar(value)
        self._take(len(plain) if type(plain) is str else 8)
        if plain is not None or value is None:
            return plain
        kind = type(value)
        if not (kind is list or kind is tuple or isinstance(value, Mapping)):
            return self._file(value)
        if len(around) == _DEEPEST or id(value) in around:
            return self._file(value)
        self._take(6400 if id(value) in self._seen else 64)  # limits lists that repeat themselves
        self._seen.add(id(value))
        around = (*around, id(value))
        if not isinstance(value, Mapping):
            items = [self._encode(item, around) for item in value]
            return items if kind is list else {"$tuple": items}
        return self._mapping(value, around)

    def _mapping(self, value: Mapping[Any, Any], around: tuple[int, ...]) -> Any:
        plain, odd = {}, []
        for key, item in value.items():
            if type(key) is str and key[:1] != "$":
                plain[key] = self._encode(item, around)
            elif _is_simple(key):
                odd.append([self._encode(key, around), self._encode(item, around)])
            else:
                return self._file(value)
        return plain | {"$items": odd} if odd else plain

    def _take(self, room: int) -> None:
        self._room -= room
        if self._room < 0:
            raise OverflowError("too large for a line")

    def _file(self, value: Any) -> dict[str, str]:
        """The mark of a value in a separate file; adds a value that cannot be stored to `lost`."""
        if (known := self._filed.get(id(value))) is None:
            try:
                known = value, self._blob(value)
            except JournalFailed:
                raise
            except Exception as error:
                kind = kind_of(value)
                name, key = self._name
                where = name if key is None else f"{name}[{_key_text(key)}]"
                self.lost.append(f"{where}, a {kind}: {reason_of(error)}")
                known = value, {"$blob": "", "kind": kind}
            self._filed[id(value)] = known
        return known[1]

    def _blob(self, value: Any) -> dict[str, str]:
        if not isinstance(value, Blob):
            content = pickled(value)
            digest = hashlib.sha256(content).hexdigest()
        elif value.journal == self._place.path or not value.digest:
            return {"$blob": value.digest, "kind": value.kind}
        else:
            content, digest = value.content(), value.digest
        if digest not in self._put:
            self._place.put_blob(digest, content)
            self._put.add(digest)
        return {"$blob": digest, "kind": kind_of(value)}


def _scalar(value: Any) -> Any:
    """The JSON of numbers, texts and bools; None for everything else."""
    kind = type(value)
    if (kind is float and value - value == 0) or kind is str or kind is bool:  # the most frequent
        return value
    if kind.__module__ == "numpy" and getattr(getattr(value, "dtype", None), "kind", "") in "biufU":
        value = value.item() if value.shape == () and kind.__name__ != "ndarray" else None
    if type(value) is bool:
        return value
    for plain in (int, float, str):
        if isinstance(value, plain):
            exact = _EXACT[plain](value)
            return exact if plain is str else _number(exact)
    return None


def _number(value: float) -> Any:
    if type(value) is float and (value != value or value in (float("inf"), -float("inf"))):
        return {"$float": repr(value)}
    return value if abs(value) < _LARGEST_INT or type(value) is float else None


def _is_simple(key: Any) -> bool:
    """Whether a key of a dict is equal after writing and reading it."""
    if type(key) is tuple:
        return all(map(_is_simple, key))
    return key is None or _scalar(key) is not None


def _key_text(key: Any) -> str:
    try:
        return f"{key!r:.80}" if isinstance(key, (str, int, float)) else kind_of(key)
    except Exception:
        return kind_of(key)


_DIGEST = re.compile("[0-9a-f]{64}|")


def decode(value: Any, journal: str) -> Any:
    """The value that `Encoder` wrote as `value` into the journal at that path or URL.

    Raises:
        ValueError, TypeError: `value` is not from an `Encoder`.
    """
    if type(value) is list:
        return [decode(item, journal) for item in value]
    if type(value) is not dict:
        return value
    if any(key[:1] == "$" for key in value):
        return _marked(value, journal)
    return {key: decode(item, journal) for key, item in value.items()}


def _marked(value: dict[str, Any], journal: str) -> Any:
    match value:
        case {"$float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case {"$tuple": list(items), **rest} if not rest:
            return tuple([decode(item, journal) for item in items])
        case {"$blob": str(digest), "kind": str(kind), **rest} if not rest:
            if _DIGEST.fullmatch(digest):
                return Blob(kind, digest, journal)
        case {"$items": list(odd), **rest} if not any(key[:1] == "$" for key in rest):
            pairs = [decode(pair, journal) for pair in odd]
            return decode(rest, journal) | {key: item for key, item in pairs}
    raise ValueError(f"it has a value that cannot be {reprlib.repr(value)}")
