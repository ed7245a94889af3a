"""The section that compares several studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sparktune.reporting import markup, pictures
from sparktune.reporting.content import Content
from sparktune.reporting.encoding import text
from sparktune.results import series
from sparktune.results.cells import counted, number
from sparktune.results.series import Array

_LISTED = 5  # differences between spaces
_TITLE = "Studies compared"
_HEAD = ["study", "best loss", "found in trial", "trials", "without a loss", "slot time busy (s)"]


def section(contents: Sequence[Content]) -> str:
    """A plot of the best loss so far of each method, and a table of the studies. Studies that
    repeat a method are one line with a band. If the search spaces differ, only the difference.
    """
    if why := _differences(contents):
        said = f"These studies are not compared, because their search spaces differ: {why}."
        return markup.section("comparison", _TITLE, said, "", level=1)
    methods: dict[str, list[Content]] = {}
    for content in contents:
        if content.columns.usable.any():
            methods.setdefault(content.method or content.name, []).append(content)
    lines = [_line(name, runs) for name, runs in methods.items()]
    picture = ""
    if lines:
        high = series.top(np.concatenate([line.y for line in lines]))
        picture = pictures.losses(lines, None, high, "Best loss so far")
    legend = "".join(
        f'<li><span class="key c{i % 7}"></span>{text(name)}</li>' for i, name in enumerate(methods)
    )
    ordered = sorted(
        contents, key=lambda c: np.inf if c.best is None or c.best.loss is None else c.best.loss
    )
    repeated = any(len(runs) > 1 for runs in methods.values())
    table = markup.table(_HEAD, [_row(content) for content in ordered])
    wins = _wins(methods) if repeated and len(methods) > 1 else ""
    body = f'{picture}<ul class="legend">{legend}</ul>{wins}{table}'
    return markup.section("comparison", _TITLE, _caption(repeated), body, level=1)


def _caption(repeated: bool) -> str:
    band = ": the median of the runs of each method, and a band between their quartiles"
    return (
        f"The best loss so far over trials, failed ones included{band if repeated else ''}; the "
        "table begins with the best."
    )


def _line(name: str, runs: Sequence[Content]) -> pictures.Line:
    (found,) = series.convergence({name: [content.study for content in runs]})
    x = np.arange(1.0, len(found.median) + 1)
    median, low, high = (
        np.where(np.isfinite(each), each, np.nan) for each in (found.median, found.low, found.high)
    )
    return pictures.Line(name, x, median, *((low, high) if len(runs) > 1 else ()))


def _wins(methods: Mapping[str, Sequence[Content]]) -> str:
    """A table of how often a run of one method had a smaller loss at the end than a run of another.
    Equal losses count half.
    """
    n = min(len(content.staircase) for runs in methods.values() for content in runs)
    ends = {
        name: np.nan_to_num([run.staircase[n - 1] for run in runs], nan=np.inf)
        for name, runs in methods.items()
    }
    rows = []
    for name, own in ends.items():
        shares = [
            "" if other is own else f"{np.mean(_better(own[:, None], other)):.0%}"
            for other in ends.values()
        ]
        rows.append([f"{name} ({counted(len(own), 'run')})", *shares])
    said = (
        f"How often a run of the method in the row has a better loss after {n} trials than a run "
        "of the method in the column; equal losses count as half."
    )
    return f'<p class="caption">{said}</p>{markup.table(["wins against", *ends], rows)}'


def _better(own: Array, other: Array) -> Array:
    found: Array = (own < other) + 0.5 * (own == other)
    return found


def _row(content: Content) -> list[str]:
    best, line = content.best, content.timeline
    return [
        content.name,
        "none" if best is None else number(best.loss),
        "" if best is None else str(best.id),
        str(len(content.records)),
        str(sum(len(group.trials) for group in content.groups)),
        "" if line is None else number(float(np.sum(line.end - line.begin))),
    ]


def _differences(contents: Sequence[Content]) -> str:
    """The first search space that differs from that of the first study, as a text; "" if there is
    none.
    """
    headers = [(content.name, content.study.header) for content in contents]
    known = [(name, header) for name, header in headers if header is not None and header.space]
    for name, header in known[1:]:
        first = known[0][1]
        if header.space == first.space:
            continue
        labels = dict.fromkeys([*first.columns, *header.columns])
        found = [
            f"{label} is {first.columns.get(label, 'absent')} in {known[0][0]} and "
            f"{header.columns.get(label, 'absent')} in {name}"
            for label in labels
            if first.columns.get(label) != header.columns.get(label)
        ]
        more = ["..."] * (len(found) > _LISTED)
        return "; ".join([*found[:_LISTED], *more]) or f"those of {known[0][0]} and {name}"
    return ""
