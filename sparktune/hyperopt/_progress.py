"""Progress bars in Hyperopt's form."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, cast

from sparktune.observers.progress import tqdm_bar


@contextmanager
def tqdm_progress_callback(initial: int, total: int | None) -> Iterator[Any]:
    """A tqdm bar; what is printed appears above it."""
    from tqdm.contrib import DummyTqdmFile

    bar = tqdm_bar(initial, total)  # made first, so that it keeps the real stderr
    out, err = (cast(Any, DummyTqdmFile(stream)) for stream in (sys.stdout, sys.stderr))
    with bar as shown, redirect_stdout(out), redirect_stderr(err):
        yield shown


@contextmanager
def no_progress_callback(initial: int, total: int | None) -> Iterator[Any]:
    """A bar that shows nothing."""
    yield _Silent()


class _Silent:
    postfix: Any = None

    def update(self, n: int) -> None:
        """Nothing."""
