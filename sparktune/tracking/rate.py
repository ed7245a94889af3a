"""A limit for the number of trials per second that are sent to a server with a quota."""

from __future__ import annotations

import time

_BURST = 50.0  # number of trials that may be sent at once, above the rate


class Rate:
    """A token bucket: `rate` trials per second, and 50 at once after a pause."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = _BURST
        self._at = time.monotonic()

    def delay(self) -> float:
        """Count one trial, and return the seconds to wait before it is sent."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * self._rate, _BURST) - 1
        self._at = now
        return max(-self._left / self._rate, 0.0)
