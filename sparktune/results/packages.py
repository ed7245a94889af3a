"""Packages that not every user has."""

from __future__ import annotations

from importlib.util import find_spec


def require(module: str, what: str, package: str, extra: str) -> None:
    """Check that a module is installed, without importing it.

    Args:
        what: needs it, for people.

    Raises:
        ImportError: it is not; the message names the extra of sparktune that brings it.
    """
    if find_spec(module) is None:
        raise ImportError(
            f"{what} needs {package}; install it with: pip install 'sparktune[{extra}]'",
            name=module,
        )
