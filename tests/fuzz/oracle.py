"""What a reader may do with a hostile input: raise a clear `SparktuneError`, or give the right
answer.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterator
from typing import Any

from sparktune.errors import SparktuneError

SECONDS = 10
"""How long one input may take, of CPU."""
MEMORY = 1 << 30
"""Bytes that the process may grow by, at most, while it reads one input."""
LONGEST = 2000
"""Characters of a clear message."""

CODE = {
    *("exec", "compile", "pickle.find_class", "marshal.loads", "code.__new__", "ctypes.dlopen"),
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect"),
}
"""Audit events of calls into code that a reader of data has no business with."""


class Broke(AssertionError):
    """An input that a reader did not stand."""


class _Hang(BaseException):
    pass


_called: list[str] | None = None
_reader = 0  # the thread that reads: others of the process may do what they like


def _audit(event: str, arguments: Any) -> None:
    if _called is not None and event in CODE and threading.get_ident() == _reader:
        _called.append(f"{event} {arguments!r:.100}")


_hooked: list[bool] = []


@contextlib.contextmanager
def _watched() -> Iterator[list[str]]:
    """Ends what hangs; gives the list of calls into code."""
    global _called, _reader
    if not _hooked:
        sys.addaudithook(_audit)  # which cannot be taken back
        _hooked.append(True)

    def alarm(number: int, frame: Any) -> None:
        raise _Hang

    before = [signal.signal(each, alarm) for each in (signal.SIGALRM, signal.SIGPROF)]
    signal.alarm(20 * SECONDS)  # for what waits; the machine may be busy
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    calls: list[str] = []
    _called, _reader = calls, threading.get_ident()
    try:
        yield calls
    finally:
        _called = None
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        for each, old in zip((signal.SIGALRM, signal.SIGPROF), before, strict=True):
            signal.signal(each, old)


def read(act: Callable[[], Any], allowed: Collection[str] = ()) -> Any:
    """What `act` returns, or the SparktuneError that it raises.

    Args:
        allowed: calls into code that are in order, of `CODE`.

    Raises:
        Broke: it raised something else, or took too long, or too much memory, or called into code.
    """
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer: Any = None
    try:
        with _watched() as calls:
            answer = act()
    except SparktuneError as error:
        if len(str(error)) > LONGEST:
            raise Broke(f"a message of {len(str(error))} characters: {error!s:.300}") from error
        answer = error
    except _Hang as error:
        raise Broke(f"no end in {SECONDS} s:\n{_place(error)}") from None
    except Exception as error:
        raise Broke(f"{type(error).__name__}: {error!s:.300}\n{_place(error)}") from error
    for call in calls:
        if call.split()[0] not in allowed:
            raise Broke(f"a call into code: {call}")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - rss) * 1024
    if grown > MEMORY:
        raise Broke(f"{grown >> 20} MB of memory")
    return answer


def _place(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)[-4:])


def holds(condition: object, what: str) -> None:
    """Raise `Broke` unless something holds."""
    if not condition:
        raise Broke(what)
