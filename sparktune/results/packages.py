"""Optional packages."""

from __future__ import annotations

from importlib.util import find_spec


def require(module: str, what: str, package: str, extra: str) -> None:
    """Check that a module is installed, without importing it.

    Args:
        module: the name of the module.
        what: what needs the module, as a text for the message.
        package: the name of the package that contains it.
        extra: the extra of sparktune that installs it.

    Raises:
        ImportError: the module is not installed; the message names the extra.
    """
    if find_spec(module) is None:
        raise ImportError(
            f"{what} needs {package}; install it with: pip install 'sparktune[{extra}]'",
            name=module,
        )
