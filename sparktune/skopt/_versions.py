"""`show_versions`: the versions to include in a bug report."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("sparktune", "scikit-learn", "numpy", "scipy", "pyspark")


def show_versions() -> None:
    """Print the platform, the Python version, the number of CPUs and the versions of sparktune and
    its main dependencies.
    """
    print(f"Platform: {platform.platform()}")
    print(f"Python: {platform.python_version()}")
    print(f"CPU count: {os.cpu_count()}")
    for name in _PACKAGES:
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "not installed"
        print(f"{name}: {installed}")
