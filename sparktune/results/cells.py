"""Values of table cells: facts about one trial, and their formats for people and for programs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sparktune.trial import Trial


def duration(trial: Trial) -> float | None:
    """Seconds from the start to the end of a trial; None if either is unknown."""
    if trial.started is None or trial.finished is None:
        return None
    return trial.finished - trial.started


def error(trial: Trial) -> str | None:
    """The failure of a trial in one line; None if it has none."""
    if trial.failure is None:
        return None
    message = " ".join(trial.failure.message.split())
    return f"{trial.failure.type}: {message}" if message else trial.failure.type


def utc(seconds: float | None) -> datetime | None:
    """The UTC time of `seconds` since the epoch; None for None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def number(value: Any) -> str:
    """The text of a cell for people: a float with six digits, None as an empty text."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def counted(n: int, noun: str) -> str:
    """A number with its noun in singular or plural, such as "1 trial" or "2 trials"."""
    return f"{n} {noun}{'s' * (n != 1)}"


def plain(value: Any) -> Any:
    """The value of a cell for programs: a time in ISO format, everything else unchanged."""
    return value.isoformat() if isinstance(value, datetime) else value


def span(seconds: float) -> str:
    """The text of a duration for people, in seconds, minutes or hours."""
    for least, length, unit in ((7200.0, 3600.0, "h"), (300.0, 60.0, "min")):
        if seconds >= least:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.3g} s"
