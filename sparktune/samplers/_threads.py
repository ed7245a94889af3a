"""One thread for linear algebra: matrices are small here, and sums would depend on the threads."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any


def single_threaded() -> AbstractContextManager[Any]:
    """Numpy's and scipy's linear algebra uses one thread inside this context, where the package
    threadpoolctl is installed, as with scikit-learn.
    """
    controller = _controller()
    if controller is None:
        return nullcontext()
    limit: AbstractContextManager[Any] = controller.limit(limits=1, user_api="blas")
    return limit


@lru_cache(maxsize=1)
def _controller() -> Any:
    """What finds and sets the threads of loaded libraries; None without threadpoolctl. Libraries
    are looked for once, when those of scipy have been loaded.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()
