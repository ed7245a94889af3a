"""Results of every kind that an objective can return, from chance, and whether they came back."""

from __future__ import annotations

import datetime
import enum
import random
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.journal.blobs import Blob


class Word(str, enum.Enum):
    PLAIN = "plain"
    MARK = "$blob"


class Count(enum.IntEnum):
    ONE = 1


class Unkept:
    """What no pickle can hold."""

    def __reduce__(self) -> Any:
        raise RuntimeError("no pickle")


class Raises(dict[Any, Any]):
    """A dict that does not let itself be looked at."""

    def items(self) -> Any:
        raise RuntimeError("no items")


LEAVES: tuple[Callable[[random.Random], Any], ...] = (
    lambda rng: rng.choice([None, True, False, 0, 1, -1, 2**63, 10**599, 10**601, -(10**5000)]),
    lambda rng: rng.choice([0.0, -0.0, 1e308, 5e-324, float("inf"), -float("inf"), float("nan")]),
    lambda rng: rng.choice(
        ["", "x", "$float", "$blob", "\ud800", "\x00", "\n", "é" * 9, Word.MARK]
    ),
    lambda rng: rng.choice([np.float32(0.1), np.int8(-1), np.bool_(True), np.str_("$"), Count.ONE]),
    lambda rng: rng.choice([np.float64("nan"), np.longdouble(0.1), np.complex64(1j)]),
    lambda rng: rng.choice([np.datetime64("2026-01-01"), np.timedelta64(3, "ns"), np.void(b"abc")]),
    lambda rng: rng.choice([b"", b"\xff" * 999, bytearray(b"a"), 1j, range(3), ..., int, len]),
    lambda rng: rng.choice([datetime.date(2026, 1, 1), datetime.timedelta(1), frozenset([1]), {1}]),
    lambda rng: np.arange(rng.randrange(5)),
    lambda rng: np.array(rng.random()),
    lambda rng: rng.choice([Unkept(), threading.Lock(), Raises(a=1), lambda: 0]),
    lambda rng: rng.choice([Blob("x", "", ""), Blob("x", "0" * 64, "/nowhere"), ValueError("a")]),
)
KEYS: tuple[Callable[[random.Random], Any], ...] = (
    lambda rng: rng.choice(["a", "b", "c", "d", "loss2", "$tuple", "$items", "", "\ud800"]),
    lambda rng: rng.choice([0, 1.5, None, True, (1, "a"), (), Word.PLAIN, Word.MARK, Count.ONE]),
    lambda rng: rng.choice([np.str_("n"), np.int64(4), float("inf"), 10**700, (None, (10**700,))]),
    lambda rng: rng.choice([datetime.date(2026, 1, 1), frozenset([1]), b"k", int, ...]),
)


def value(rng: random.Random, depth: int = 0) -> Any:
    """A value of any kind."""
    if depth > 4 or rng.random() < 0.5:
        return rng.choice(LEAVES)(rng)
    items = [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return rng.choice(CONTAINERS)(rng, items)


def _itself(rng: random.Random, items: list[Any]) -> Any:
    items.append(items)
    return items


def _deep(rng: random.Random, items: list[Any]) -> Any:
    for _ in range(rng.choice([60, 150, 2000])):
        items = [items]
    return items


def _doubled(rng: random.Random, items: list[Any]) -> Any:
    for _ in range(rng.choice([3, 40])):
        items = [items, items]
    return items


CONTAINERS: tuple[Callable[[random.Random, list[Any]], Any], ...] = (
    *(lambda rng, items: items for _ in range(3)),
    *(lambda rng, items: {rng.choice(KEYS)(rng): item for item in items} for _ in range(3)),
    lambda rng, items: tuple(items),
    lambda rng, items: OrderedDict(enumerate(items)),
    lambda rng, items: defaultdict(list, {f"{i}": item for i, item in enumerate(items)}),
    *(_itself, _deep, _doubled),
)


def result(rng: random.Random) -> dict[Any, Any]:
    """What an objective returns, its loss and status aside."""
    return {rng.choice(KEYS)(rng): value(rng) for _ in range(rng.randrange(4))}


def equal(found: Any, given: Any) -> bool:
    """Whether what was read is what was written, large values loaded, what was not kept aside."""
    return _equal(found, given, 0)


def _equal(found: Any, given: Any, depth: int) -> bool:
    if depth > 90:  # from here on it may be a file, or endless
        return True
    if isinstance(found, Blob):
        return _same_blob(found, given, depth)
    if isinstance(given, dict) and isinstance(found, dict):
        pairs = _paired(found, given)
        return pairs is not None and all(_equal(a, b, depth + 1) for a, b in pairs)
    if type(given) in (list, tuple):
        if type(found) is not type(given) or len(found) != len(given):
            return False
        if len(given) == 2 and given[0] is given[1]:  # doubled again and again
            return _equal(found[0], given[0], depth + 1)
        return all(_equal(a, b, depth + 1) for a, b in zip(found, given, strict=True))
    return _equal_leaf(found, given)


def _paired(found: dict[Any, Any], given: dict[Any, Any]) -> list[tuple[Any, Any]] | None:
    """The values of equal keys; keys may be large values themselves."""
    if found.keys() == given.keys():
        return [(found[key], item) for key, item in dict.items(given)]
    opened = {_key(key): item for key, item in found.items()}
    wanted = {_key(key): item for key, item in dict.items(given)}
    if opened.keys() != wanted.keys():
        return None
    return [(opened[key], wanted[key]) for key in wanted]


def _key(key: Any) -> Any:
    if type(key) is tuple:
        return tuple(map(_key, key))
    return key.load() if isinstance(key, Blob) else key


def _same_blob(found: Blob, given: Any, depth: int) -> bool:
    if isinstance(given, Blob):
        return found.kind == given.kind
    try:
        return _equal(found.load(), given, depth + 1)
    except InvalidArgument as error:
        return "not stored" in str(error)


def _equal_leaf(found: Any, given: Any) -> bool:
    if isinstance(given, np.ndarray):
        return isinstance(found, np.ndarray) and np.array_equal(found, given)
    if isinstance(given, (ValueError, type(lambda: 0))):
        return type(found) is type(given)
    if given != given:  # NaN, NaT
        return bool(found != found)
    return bool(found == given)
