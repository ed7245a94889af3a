"""Signals that end a process: SIGTERM from supervisors, SIGHUP from a closing terminal."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

_NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Ended(KeyboardInterrupt):
    """The signal `number` asks the process to end; a run handles it like Ctrl-C."""

    def __init__(self, number: int, hint: str = "") -> None:
        super().__init__(f"ended by {signal.Signals(number).name}{hint}")
        self.number = number


@contextlib.contextmanager
def as_interrupts() -> Iterator[None]:
    """A context in which the first SIGTERM or SIGHUP raises `Ended`. Later ones are ignored, so
    that they do not interrupt the clean-up. A signal that is ignored before, as under nohup, stays
    ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    handled = [number for number, old in before.items() if old == signal.SIG_DFL]

    def end(number: int, _: Any) -> None:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    for number in handled:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
