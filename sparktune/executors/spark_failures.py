"""The meaning of a Spark job that ended without a report, for its trial. Classic and Connect have
the same texts.
"""

from __future__ import annotations

import re

from sparktune.errors import SparkUnavailable
from sparktune.executors.seams import CancelledOutside, Crashed, Lost

STOPPED = (
    "finished trials are kept; to continue, start a session and run again with the same study or "
    "trials"
)

_LOST = re.compile(
    r"ExecutorLostFailure|[Ee]xecutor (heartbeat timed out|lost)|Lost executor|TaskResultLost"
    r"|FetchFailed|Failed to get broadcast|No space left on device"
    r"|Disk quota exceeded"
)


def stopped() -> SparkUnavailable:
    """The error that ends a run whose classic session has ended."""
    return SparkUnavailable(
        f"the Spark session was stopped, or its JVM ended, while trials were running; {STOPPED}"
    )


def failure_of(message: str) -> Exception:
    """The pool's exception for Spark's message."""
    if any(word in message for word in ("SPARK_JOB_CANCELLED", "OPERATION_CANCELED")) or (
        "cancelled" in message.split("\n")[0]
    ):
        return CancelledOutside(f"its Spark job was cancelled: {_first_lines(message)}")
    if "Python worker exited unexpectedly" in message:
        return Crashed(
            "the Python process that ran this trial died: it called os._exit, was killed by a "
            "signal (as by the out-of-memory killer), or crashed in native code"
        )
    kind = Lost if _LOST.search(message) else Crashed
    return kind(f"the Spark job of this trial failed: {_first_lines(message)}")


def _first_lines(message: str) -> str:
    told = message.split("Driver stacktrace:")[0].strip()
    lines = [line for line in told.splitlines() if not line.lstrip().startswith("at ")]
    return "\n".join(lines[:20])
