"""What every part of a pickle is checked by."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

LONGEST = 14_000  # bits of an integer; Python writes no longer one as text
_LEVELS = 8  # of tuples in a key
_ALIKE = 64  # keys of one hash, each of which is compared with all before it
_SPREAD = (str, bytes, int, float, bool, type(None))  # few of these can have one hash


@dataclass(frozen=True)
class Named:
    """A function that a file may name; it is never called, and `MAKERS` says what it stands for."""

    name: str


class Refused(ValueError):
    """A part that no honest pickle holds."""


def require(holds: bool, what: str) -> None:
    """Refuse the file unless something holds."""
    if not holds:
        raise Refused(what)


class Charge:
    """Called with what a part of a pickle costs, it refuses what is more than is left."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._alike: dict[int, list[Hashable]] = {}

    def __call__(self, size: int) -> None:
        self._left -= size
        require(self._left >= 0, "it would take far more memory than the file is long")

    def key(self, value: Hashable) -> None:
        """Refuse the key of a dict that is one of many with the same hash."""
        alike = self._alike.setdefault(hash(value), [])
        if value not in alike:
            alike.append(value)
            require(len(alike) <= _ALIKE, "keys that cannot be told apart in time")


def hashable(value: Any, charge: Charge) -> Any:
    """The value, if it can be the key of a dict at a cost that its length limits."""
    level = [value]
    for _ in range(_LEVELS):
        charge(len(level))
        for item in level:
            wide = type(item) is int and item.bit_length() > 64  # such can all have one hash
            require(
                not wide and not isinstance(item, (list, dict, set)), "a key that cannot be one"
            )
        level = [inner for item in level if isinstance(item, tuple) for inner in item]
    require(not level, "a key that is nested too deep")
    if type(value) not in _SPREAD:
        charge.key(value)
    return value


class Unfinished:
    """What a file has begun to describe, and describes in the state that comes next."""

    def __init__(self, finish: Callable[[Any], Any]) -> None:
        self.finish = finish
        self.keys: list[int] = []  # of the memo, where it stands so far


class State:
    """Takes the state of a pickled `Trials`, and does nothing."""

    content: dict[str, Any] | None = None
