"""One thread for linear algebra."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sparktune.samplers._threads import single_threaded

threadpoolctl: Any = pytest.importorskip("threadpoolctl")
WAIT = 60


def blas() -> set[int]:
    """The numbers of threads of the libraries for linear algebra."""
    import scipy.linalg  # noqa: F401

    found = threadpoolctl.threadpool_info()
    return {each["num_threads"] for each in found if each["user_api"] == "blas"}


def test_every_thread_can_set_the_limit() -> None:
    before, seen = blas(), []

    def use() -> None:
        with single_threaded():
            seen.append(blas())

    use()
    for _ in range(2):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join(WAIT)
    assert seen == [{1}] * 3
    assert blas() == before


@pytest.mark.parametrize("first", ["outer", "inner"])
def test_a_limit_holds_until_the_last_thread_needs_it_no_more(first: str) -> None:
    before = blas()
    ends = {"outer": threading.Event(), "inner": threading.Event()}
    begun, seen = threading.Semaphore(0), {}

    def hold(name: str) -> None:
        with single_threaded():
            begun.release()
            ends[name].wait(WAIT)
            seen[name] = blas()

    threads = {name: threading.Thread(target=hold, args=(name,)) for name in ends}
    for thread in threads.values():
        thread.start()
        assert begun.acquire(timeout=WAIT)
    for name in sorted(ends, key=lambda name: name != first):
        ends[name].set()
        threads[name].join(WAIT)
    assert seen == {"outer": {1}, "inner": {1}}
    assert blas() == before
