"""Classes and functions of packages that the user trusts, and objects of these classes."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.hyperopt._pickle_checks import require

_BASES = (dict, list, set, tuple, int, float, str)


class Trusted:
    """The classes and functions of trusted packages that the file has named so far."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages
        self._found: dict[int, Any] = {}  # by id; the references keep ids from being reused

    def __contains__(self, thing: object) -> bool:
        return id(thing) in self._found

    def find(self, module: str, name: str) -> Any:
        """Return a class or function that is defined in a trusted package. Names that the package
        only imports are not trusted.

        Raises:
            InvalidArgument: it is not a class or function defined in a trusted package.
        """
        found: Any = None
        if self._trusts(module) and "." not in name:
            found = getattr(importlib.import_module(module), name, None)
        if isinstance(found, type) or inspect.isroutine(found):
            home = getattr(found, "__module__", None)
            if isinstance(home, str) and self._trusts(home):
                self._found[id(found)] = found
                return found
        named, package = f"{module}.{name}", module.partition(".")[0]
        raise InvalidArgument(
            f"the file names {named:.200}, which could run code and is not loaded. If you trust "
            "the file, and its results hold objects of this package, call load_trials(path, "
            f"trust=[{package!r:.100}]), which loads classes and functions defined in the package"
        )

    def _trusts(self, module: str) -> bool:
        return any(f"{module}.".startswith(f"{package}.") for package in self._packages)

    def made(self, value: Any) -> bool:
        """Whether an object is an instance of a class of these packages."""
        kind = type(value)
        none = isinstance(value, type) or inspect.isroutine(value) or inspect.ismodule(value)
        return bool(self._packages) and not none and self._trusts(kind.__module__)


def reconstructed(kind: Any, base: Any, state: Any) -> Any:
    """Return an object of a trusted class as protocols 0 and 1 describe it."""
    require(isinstance(kind, type), "an object without a class")
    if base is object:
        return object.__new__(kind)
    require(base in _BASES, "an object with an unknown base class")
    made = base.__new__(kind, state)
    if base in (dict, list, set):
        base.__init__(made, state)
    return made


def give(target: Any, state: Any) -> None:
    """Set the state of an object of a trusted class, in the way that pickle does."""
    if hasattr(target, "__setstate__"):
        target.__setstate__(state)
        return
    content, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    for key, value in (content or {}).items():
        target.__dict__[key] = value
    for key, value in (slots or {}).items():
        setattr(target, key, value)
