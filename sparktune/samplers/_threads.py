"""One thread for linear algebra, because matrices are small, and results would otherwise depend on
the number of threads.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any


def single_threaded() -> AbstractContextManager[Any]:
    """A context in which the linear algebra of numpy and scipy uses one thread, if the package
    threadpoolctl is installed, as it is with scikit-learn.
    """
    controller = _controller()
    if controller is None:
        return nullcontext()
    limit: AbstractContextManager[Any] = controller.limit(limits=1, user_api="blas")
    return limit


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
