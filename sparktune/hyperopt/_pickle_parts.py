"""The objects that a pickle may contain besides plain lists and dicts, made from checked parts.

Each function takes arguments from the file and calls the ordinary constructor of the object. A
`__setstate__` is never called, because it trusts sizes, flags and pointers in the file.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np

from sparktune.hyperopt import _pickle_arrays as arrays
from sparktune.hyperopt._pickle_checks import Charge, Named, hashable, require

# Containers


def _copied(kind: type) -> Callable[..., Any]:
    def make(charge: Charge, items: Any = ()) -> Any:
        require(type(items) in (list, tuple), f"a {kind.__name__} that is not made from a list")
        charge(len(items))
        if kind in (set, frozenset):
            items = [hashable(item, charge) for item in items]
        return kind(items)

    return make


def _mapping(kind: Callable[[], Any]) -> Callable[..., Any]:
    def make(charge: Charge, items: Any = ()) -> Any:
        require(type(items) in (list, tuple, dict), "a dict that is not made from pairs")
        charge(len(items))
        made = kind()
        for key, value in items.items() if isinstance(items, dict) else items:
            made[hashable(key, charge)] = value
        return made

    return make


def _deque(charge: Charge, items: Any = (), length: Any = None) -> Any:
    require(type(items) in (list, tuple), "a deque that is not made from a list")
    require(length is None or type(length) is int, "a deque whose length is not a number")
    charge(len(items))
    return deque(items, length)


def _defaultdict(charge: Charge, factory: Any = None) -> Any:
    require(
        factory in (None, list, dict, set, int, float, str, tuple),
        "a defaultdict with an unknown factory",
    )
    return defaultdict(factory)


# Bytes and numbers


def _bytes(charge: Charge, text: Any = "", encoding: Any = "latin-1") -> bytes:
    """Return bytes as pickle protocols below 3 describe them."""
    require(
        type(text) is str and encoding in ("latin1", "latin-1"),
        "bytes that are not made from a string",
    )
    charge(len(text))
    return bytes(text.encode("latin-1"))


def _bytearray(charge: Charge, content: Any = b"", encoding: Any = "latin-1") -> bytearray:
    if type(content) is str:
        content = _bytes(charge, content, encoding)
    require(type(content) in (bytes, bytearray), "a bytearray that is not made from bytes")
    charge(len(content))
    return bytearray(content)


def _of(make: Callable[..., Any], *kinds: type) -> Callable[..., Any]:
    """Wrap `make` so that it accepts at most three values of these types."""

    def made(charge: Charge, *values: Any) -> Any:
        require(
            len(values) <= 3 and all(type(v) in kinds for v in values),
            "a call with invalid arguments",
        )
        return make(*values)

    return made


# Times


def _date(charge: Charge, *parts: Any) -> date:
    if len(parts) == 1:
        require(type(parts[0]) is bytes and len(parts[0]) == 4, "a date that is not 4 bytes long")
        high, low, *rest = parts[0]
        parts = (256 * high + low, *rest)
    require(all(type(part) is int for part in parts), "a date that is not made from integers")
    return date(*parts)


def _datetime(charge: Charge, *parts: Any) -> datetime:
    zone = None
    if len(parts) == 8 or (len(parts) == 2 and type(parts[0]) is bytes):
        *parts, zone = parts  # type: ignore[assignment]
    require(zone is None or type(zone) is timezone, "a datetime with an unknown time zone")
    fold = 0
    if len(parts) == 1:
        require(
            type(parts[0]) is bytes and len(parts[0]) == 10, "a datetime that is not 10 bytes long"
        )
        high, low, month, day, hour, minute, second, *micro = parts[0]
        fold, month = divmod(month, 128)
        micros = int.from_bytes(bytes(micro), "big")
        parts = (256 * high + low, month, day, hour, minute, second, micros)
    require(all(type(part) is int for part in parts), "a datetime that is not made from integers")
    return datetime(*parts).replace(tzinfo=zone, fold=fold)


_CORES = [f"numpy.{core}" for core in ("core", "_core")]
_CLASSES: dict[type, Callable[..., Any] | None] = {
    **dict.fromkeys((int, float, str, bool)),
    object: _of(object),
    list: _copied(list),
    tuple: _copied(tuple),
    set: _copied(set),
    frozenset: _copied(frozenset),
    dict: _mapping(dict),
    bytes: _bytes,
    bytearray: _bytearray,
    complex: _of(complex, int, float),
    range: _of(range, int),
    slice: _of(slice, int, type(None)),
    OrderedDict: _mapping(OrderedDict),
    defaultdict: _defaultdict,
    deque: _deque,
    date: _date,
    datetime: _datetime,
    timedelta: _of(timedelta, int),
    timezone: _of(timezone, timedelta, str),
    np.ndarray: None,
    np.dtype: arrays.dtype,
}
_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _bytes,
    **{(f"{core}.multiarray", "_reconstruct"): arrays.reconstruct for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): arrays.scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): arrays.from_buffer for core in _CORES},
}
NAMES: dict[tuple[str, str], Any] = {
    **{(kind.__module__, kind.__name__): kind for kind in _CLASSES},
    **{names: Named(".".join(names)) for names in _FUNCTIONS},
    ("builtins", "xrange"): range,  # its name in protocols below 3
    ("bson.son", "SON"): dict,
}
"""The object for each name that a file may use: a data class, or a `Named` function."""

MAKERS: dict[Any, Callable[..., Any]] = {
    **{kind: make for kind, make in _CLASSES.items() if make},
    **{NAMES[names]: make for names, make in _FUNCTIONS.items()},
}
"""The function that is called instead of each class or function of `NAMES`. Its arguments are the
memory budget and the arguments from the file.
"""
