"""One thread for linear algebra, because matrices are small, and results would otherwise depend on
the number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


class _Limit:
    """The limit of a process, which several threads of it can hold at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._limiter: Any = None

    def take(self) -> None:
        """Set the number of BLAS threads to one, unless it is held already."""
        with self._lock:
            if not self._holders:
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._holders += 1

    def release(self) -> None:
        """Restore the number of BLAS threads, unless another thread still holds the limit."""
        with self._lock:
            self._holders -= 1
            if not self._holders:
                _let_any_thread_set()
                self._limiter.restore_original_limits()
                _let_any_thread_set()


def _let_any_thread_set() -> None:
    """Let the next thread set the number of BLAS threads. Since version 3.8, threadpoolctl ignores
    all threads but the first one that has set it.
    """
    import threadpoolctl

    openblas: Any = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(openblas, "clear_controlling_thread"):
        openblas.clear_controlling_thread(force=True)


_limit = _Limit()


@contextmanager
def single_threaded() -> Iterator[None]:
    """A context in which the linear algebra of numpy and scipy uses one thread, if the package
    threadpoolctl is installed, as it is with scikit-learn. The number of threads belongs to the
    process: if contexts overlap, the end of the last one restores it.
    """
    if _controller() is None:
        yield
        return
    _limit.take()
    try:
        yield
    finally:
        _limit.release()


@lru_cache(maxsize=1)
def _controller() -> Any:
    """The object that finds loaded libraries and limits their threads; None without threadpoolctl.
    It looks for libraries once, after those of scipy have been loaded.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()
