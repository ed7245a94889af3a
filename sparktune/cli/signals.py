"""Signals that ask a process to end: SIGTERM from supervisors, SIGHUP from a closing terminal."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

_NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Ended(KeyboardInterrupt):
    """The process was asked to end by the signal `number`; a run treats it as Ctrl-C."""

    def __init__(self, number: int, hint: str = "") -> None:
        super().__init__(f"ended by {signal.Signals(number).name}{hint}")
        self.number = number


@contextlib.contextmanager
def as_interrupts() -> Iterator[None]:
    """Inside this context, the first such signal raises `Ended`; later ones do not disturb the
    clean-up. A signal that is ignored, as under nohup, stays ignored.
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
