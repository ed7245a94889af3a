"""A running study, as lines of text for a terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate

from sparktune.printable import printable
from sparktune.results import summary
from sparktune.results.cells import number
from sparktune.results.failures import groups
from sparktune.results.finished import Finished, shown
from sparktune.results.ranking import best, comparable
from sparktune.trial import Status, Trial

_BLOCKS = "▁▂▃▄▅▆▇█"
_SHOWN = 4  # most groups of failures, and most running trials
_RECENT = 20  # number of last ends for the estimate of the remaining time


def screen(study: Finished, end: int | None, now: float, width: int = 80) -> list[str]:
    """The state of a study in at most 20 lines, none wider than the terminal.

    Args:
        study: the study.
        end: the number of trials at the end of the run; None: unknown.
        now: the current time, in seconds since the epoch.
        width: the width of the terminal, in characters.
    """
    lines = [f"{what:9}{text}" for what, text in _lines(study, end, now, width - 9)]
    return [_cut(printable(line), width) for line in lines]


def line(study: Finished, end: int | None, now: float) -> str:
    """The state of a study in one line, for output to a file."""
    clock = time.strftime("%H:%M:%S", time.localtime(now))
    left = _left(study, end, now)
    return printable(f"{clock} {summary.line(study)}{left and f'; {left} left'}")


def _lines(study: Finished, end: int | None, now: float, width: int) -> Iterator[tuple[str, str]]:
    records = study.records.values()
    header = study.header
    if header and header.objective:
        yield "study", header.objective
    counts, left = summary.counts(study), _left(study, end, now)
    yield "trials", counts + (f" (of {end})" if end else "") + (f", {left} left" if left else "")
    found = best(records)
    if found is not None:
        since = f", {_time(now - found.finished)} ago" if found.finished else ""
        yield "best", f"{number(found.loss)} (trial {found.id}{since})"
        yield "at", ", ".join(f"{k}={number(v)}" for k, v in shown(study, found).items())
        yield (
            "so far",
            sparkline([t.loss for t in comparable(records) if t.loss is not None], width),
        )
    running = [trial for trial in records if trial.status is Status.RUNNING]
    if running and study.stop_reason is None:
        named = [f"{t.id} ({_time(now - t.asked)})" for t in running[:_SHOWN] if t.asked]
        yield "running", ", ".join(named) + ", ..." * (len(running) > _SHOWN)
    for group in groups(study)[:_SHOWN]:
        yield "failed", f"{len(group.trials)} {group.status.value}: {group.message}"
    if study.stop_reason is not None:
        yield "ended", study.stop_reason


def sparkline(losses: Sequence[float], width: int = 60) -> str:
    """The best loss so far from the first trial to the last, as blocks; a high block is a large
    loss.
    """
    stairs = [value for value in accumulate(losses, min) if math.isfinite(value)]
    if not stairs:
        return ""
    n = min(len(stairs), width)
    picked = [stairs[round(i * (len(stairs) - 1) / max(n - 1, 1))] for i in range(n)]
    low, high = picked[-1], picked[0]
    if not math.isfinite(high - low) or high == low:
        return _BLOCKS[0] * n
    return "".join(_BLOCKS[round((each - low) / (high - low) * 7)] for each in picked)


def _left(study: Finished, end: int | None, now: float) -> str:
    """The remaining time at the pace of the last results, as a text; "" if unknown."""
    if end is None or study.stop_reason is not None:
        return ""
    ended = sorted(t.finished for t in study.records.values() if _ended(t) and t.finished)
    more = end - len(ended)
    if len(ended) < 3 or more <= 0:
        return ""
    recent = ended[-_RECENT:]
    pace = (max(now, recent[-1]) - recent[0]) / (len(recent) - 1)
    return _time(more * pace)


def _ended(trial: Trial) -> bool:
    return not trial.status.pending and trial.status is not Status.CANCELLED


def _time(seconds: float) -> str:
    for least, length, unit in ((5400.0, 3600.0, "h"), (90.0, 60.0, "min")):
        if seconds >= least:
            return f"{seconds / length:.1f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
