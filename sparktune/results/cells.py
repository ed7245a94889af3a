"""Single facts about a trial, as tables hold them and as people read them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sparktune.trial import Trial


def duration(trial: Trial) -> float | None:
    """Seconds from start to end, if both are known."""
    if trial.started is None or trial.finished is None:
        return None
    return trial.finished - trial.started


def error(trial: Trial) -> str | None:
    """One line about why a trial has no loss."""
    if trial.failure is None:
        return None
    message = " ".join(trial.failure.message.split())
    return f"{trial.failure.type}: {message}" if message else trial.failure.type


def utc(seconds: float | None) -> datetime | None:
    """Seconds since the epoch as a time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def number(value: Any) -> str:
    """A cell for people: six digits of a float, nothing for None."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def counted(n: int, noun: str) -> str:
    """A number of things for people: "1 trial", "2 trials"."""
    return f"{n} {noun}{'s' * (n != 1)}"


def plain(value: Any) -> Any:
    """A cell for programs: times as texts, everything else unchanged."""
    return value.isoformat() if isinstance(value, datetime) else value


def span(seconds: float) -> str:
    """A length of time for people."""
    for least, length, unit in ((7200.0, 3600.0, "h"), (300.0, 60.0, "min")):
        if seconds >= least:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.3g} s"
