"""What a report of a problem needs."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("sparktune", "scikit-learn", "numpy", "scipy", "pyspark")


def show_versions() -> None:
    """Print the versions of the system, of Python, and of the packages that matter."""
    print(f"Platform: {platform.platform()}")
    print(f"Python: {platform.python_version()}")
    print(f"CPU count: {os.cpu_count()}")
    for name in _PACKAGES:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        print(f"{name}: {found}")
