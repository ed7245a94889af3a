"""What a trial does to the process it runs in: its output is kept, and what it changes is put back
for the next trial. Travels to the workers by value.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

LOG_LIMIT = 2**16  # characters of what a trial writes that travel back with it


class Tail:
    """The end of what a trial writes to stdout and stderr."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Add a piece of text, and drop text from the front if there is too much."""
        with self._lock:
            self._pieces.append(text[-LOG_LIMIT:])
            self._size += len(self._pieces[-1])
            while self._size - len(self._pieces[0]) >= LOG_LIMIT:
                self._size -= len(self._pieces.popleft())

    def text(self) -> str:
        """The last `LOG_LIMIT` characters."""
        with self._lock:
            return "".join(self._pieces)[-LOG_LIMIT:]


class Tee:
    """A text stream that passes on what is written, and tells the current trial's tail. One for
    each stream and process, as loggers keep the stream that they once saw.
    """

    stream: Any = None
    tail: Tail | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a piece of text."""
        if self.tail is not None:
            self.tail.add(text)
        return int(self.stream.write(text))

    def close(self) -> None:
        """Do nothing, because later trials write to the stream too."""


@contextmanager
def captured(process: dict[str, Any]) -> Iterator[Tail]:
    """Keep the end of the output to stdout and stderr inside this context. `process` is the dict
    that lasts as long as the process.
    """
    tail, tees = Tail(), process.setdefault("tees", (Tee(), Tee()))
    streams = sys.stdout, sys.stderr
    for number, tee, stream in zip((1, 2), tees, streams, strict=True):
        tee.stream, tee.tail = _open(stream, number), tail
    sys.stdout, sys.stderr = tees
    try:
        yield tail
    finally:
        sys.stdout, sys.stderr = (tee.stream for tee in tees)
        for tee in tees:
            tee.tail = None


def _open(stream: Any, number: int) -> Any:
    """The stream, or a new one if a trial has closed or detached it."""
    try:
        if not stream.closed:
            return stream
    except (AttributeError, ValueError):
        pass
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


@contextmanager
def undone() -> Iterator[None]:
    """Put back afterwards what a trial changes in its process: file descriptors 0 to 2, the working
    directory, environment variables, signal handlers, timers and the signal mask, the default
    timeout of sockets, the recursion limit, and filters of warnings. Random numbers of `random` and
    of numpy's global generator start over, from the system's entropy.

    Environment variables that are new stay where the trial was the first to import a module, which
    may rely on them.
    """
    random.seed()
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    with ExitStack() as steps:
        for kept in (_warnings, _descriptors, _folder, _environment, _signals, _limits):
            steps.enter_context(kept())
        yield


@contextmanager
def _warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        yield


@contextmanager
def _descriptors() -> Iterator[None]:
    copies = {}
    for number in (0, 1, 2):
        with suppress(OSError):  # it is closed
            copies[number] = os.dup(number)
    try:
        yield
    finally:
        for number, copy in copies.items():
            with suppress(OSError):  # the trial has closed the copy
                os.dup2(copy, number)
                os.close(copy)


@contextmanager
def _folder() -> Iterator[None]:
    try:
        before = os.getcwd()
    except OSError:  # it does not exist
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # the trial has removed it
            os.chdir(before)


@contextmanager
def _environment() -> Iterator[None]:
    environ: MutableMapping[str, str] = os.environ
    before, modules = dict(environ), len(sys.modules)
    try:
        yield
    finally:
        os.environ = environ  # type: ignore[assignment]  # noqa: B003 - the object, as it was
        if len(sys.modules) == modules:
            for name in environ.keys() - before.keys():
                del environ[name]
        for name, value in before.items():
            if environ.get(name) != value:
                environ[name] = value


@contextmanager
def _signals() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield
    finally:
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) != handler:
                with suppress(OSError, ValueError):  # a signal that cannot be handled
                    signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _limits() -> Iterator[None]:
    timeout, depth = socket.getdefaulttimeout(), sys.getrecursionlimit()
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)
        with suppress(RecursionError):
            sys.setrecursionlimit(depth)
