"""Progress bars with Hyperopt's interface."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, cast

from sparktune.observers.progress import tqdm_bar


@contextmanager
def tqdm_progress_callback(initial: int, total: int | None) -> Iterator[Any]:
    """Show a tqdm progress bar; printed text appears above it."""
    from tqdm.contrib import DummyTqdmFile

    bar = tqdm_bar(initial, total)  # before stderr is redirected, so that it uses the real one
    out, err = (cast(Any, DummyTqdmFile(stream)) for stream in (sys.stdout, sys.stderr))
    with bar as shown, redirect_stdout(out), redirect_stderr(err):
        yield shown


@contextmanager
def no_progress_callback(initial: int, total: int | None) -> Iterator[Any]:
    """Show no progress bar."""
    yield _Silent()


class _Silent:
    postfix: Any = None

    def update(self, n: int) -> None:
        """Do nothing."""
