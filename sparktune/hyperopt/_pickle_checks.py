"""Checks that all parts of a pickle must pass."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

LONGEST = 14_000  # bits of an integer; Python does not convert longer ones to strings
_LEVELS = 8  # largest nesting of tuples in a key
_ALIKE = 64  # largest number of keys with the same hash; each is compared with all others
_SPREAD = (str, bytes, int, float, bool, type(None))  # types with few hash collisions


@dataclass(frozen=True)
class Named:
    """A function that a file may name. It is never called; `MAKERS` has its replacement."""

    name: str


class Refused(ValueError):
    """The file contains a part that does not occur in pickles of trials."""


def require(holds: bool, what: str) -> None:
    """Refuse the file unless a condition holds; `what` describes what is wrong."""
    if not holds:
        raise Refused(what)


class Charge:
    """A memory budget. Calls subtract the cost of a part, and refuse the file if too little is
    left.
    """

    def __init__(self, left: int) -> None:
        self._left = left
        self._alike: dict[int, list[Hashable]] = {}

    def __call__(self, size: int) -> None:
        self._left -= size
        require(self._left >= 0, "it needs far more memory than its length allows")

    def key(self, value: Hashable) -> None:
        """Refuse the file if too many keys have the same hash."""
        alike = self._alike.setdefault(hash(value), [])
        if value not in alike:
            alike.append(value)
            require(len(alike) <= _ALIKE, "keys that cannot be told apart in time")


def hashable(value: Any, charge: Charge) -> Any:
    """Return a value that can be the key of a dict; refuse it if hashing it could be expensive."""
    level = [value]
    for _ in range(_LEVELS):
        charge(len(level))
        for item in level:
            wide = type(item) is int and item.bit_length() > 64  # many can share one hash
            require(
                not wide and not isinstance(item, (list, dict, set)),
                "an invalid key of a dict or set",
            )
        level = [inner for item in level if isinstance(item, tuple) for inner in item]
    require(not level, "a key that is nested too deeply")
    if type(value) not in _SPREAD:
        charge.key(value)
    return value


class Unfinished:
    """An object whose description is incomplete until the file gives its state."""

    def __init__(self, finish: Callable[[Any], Any]) -> None:
        self.finish = finish
        self.keys: list[int] = []  # keys of the memo that refer to this object


class State:
    """Stores the state of a pickled `Trials` without interpreting it."""

    content: dict[str, Any] | None = None
