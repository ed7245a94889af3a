"""Several studies beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparktune.reporting import markup, pictures
from sparktune.reporting.content import Content
from sparktune.reporting.encoding import text
from sparktune.results import series
from sparktune.results.cells import number

_LISTED = 5  # differences between spaces


def section(contents: Sequence[Content]) -> str:
    """The best loss so far of each study, and what each found; why not, if their spaces differ."""
    if why := _differences(contents):
        said = f"These studies are not compared, as their search spaces differ: {why}."
        return markup.section("comparison", "Studies compared", said, "")
    usable = [content for content in contents if content.columns.usable.any()]
    lines = [_line(content) for content in usable]
    picture = ""
    if lines:
        high = series.top(np.concatenate([content.staircase for content in usable]))
        picture = pictures.losses(lines, None, high, "Best loss so far of each study")
    ordered = sorted(
        contents, key=lambda c: np.inf if c.best is None or c.best.loss is None else c.best.loss
    )
    colours = {content.name: i for i, content in enumerate(usable)}
    legend = "".join(
        f'<li><span class="key c{i % 7}"></span>{text(name)}</li>' for name, i in colours.items()
    )
    head = [
        "study",
        "best loss",
        "found in trial",
        "trials",
        "without a loss",
        "slot time busy (s)",
    ]
    caption = (
        "The best loss so far over trials, failed ones included; the table begins with the best."
    )
    body = (
        f'{picture}<ul class="legend">{legend}</ul>{markup.table(head, [_row(c) for c in ordered])}'
    )
    return markup.section("comparison", "Studies compared", caption, body)


def _line(content: Content) -> pictures.Line:
    (found,) = series.convergence({content.name: content.study})
    best = np.where(np.isfinite(found.median), found.median, np.nan)
    return pictures.Line(content.name, np.arange(1.0, len(best) + 1), best)


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
    """How the parameters of the first study that differs from the first one differ; "" if none
    does, as far as is known.
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
