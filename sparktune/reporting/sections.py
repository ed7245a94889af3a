"""The parts of a page that can be read without scripts: sentences, tables, pictures.

Each function returns the markup of one section of one study. A script draws into elements of class
`chart`, and hides the element of class `fallback` that follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.reporting import markup, pictures
from sparktune.reporting.content import Content
from sparktune.reporting.encoding import text
from sparktune.results import summary, table
from sparktune.results.cells import counted, number, span
from sparktune.results.finished import shown
from sparktune.results.series import top

FEW = 30  # with fewer trials with a loss, importance is unreliable
_TOP = 25  # rows of the table without scripts
_STRAGGLER = 3  # a slow trial lasts longer than this times the median
_NAMED = 5  # largest number of trials in a sentence


def headline(content: Content) -> str:
    """The best trial, the cost of the study, and warnings."""
    best = content.best
    if best is None:
        what = "No trial has a usable loss." if content.records else "There are no trials yet."
        parts = [f'<p class="best">{what}</p>']
    else:
        error = f" ± {number(content.noise.error)}" if content.noise else ""
        at = ", ".join(f"{k} = {number(v)}" for k, v in shown(content.study, best).items())
        parts = [
            f'<p class="best">Best loss <strong>{number(best.loss)}</strong>{error}'
            f" in trial {text(best.id)}</p>",
            f'<p class="at">{text(at)}</p>',
            _gain(content),
        ]
    rows = [[k, v] for k, v in summary.summary(content.study).items() if k[:4] != "best"]
    return "".join([*parts, _warnings(content), markup.pairs(rows + _cost(content))])


def _gain(content: Content) -> str:
    loss = content.columns.loss[content.columns.usable]
    if len(loss) < 2 or content.best is None:
        return ""
    best, first, median = float(content.best.loss or 0.0), float(loss[0]), float(np.median(loss))
    return (
        f"<p>The first loss was {number(first)}, the median {number(median)}; "
        f"the best is lower by {number(first - best)} and {number(median - best)}.</p>"
    )


def _cost(content: Content) -> list[list[str]]:
    line = content.timeline
    if line is None:
        return []
    wall = float(line.end.max())
    busy = float(np.sum(line.end - line.begin))
    return [
        ["wall time", span(wall)],
        ["slots", f"{line.lanes} at once"],
        ["slot time busy", span(busy)],
        ["slot time idle", f"{span(line.lanes * wall - busy)} ({1 - line.busy:.0%})"],
    ]


def _warnings(content: Content) -> str:
    """Facts that could otherwise mislead a reader of the page."""
    statuses = [trial.status for trial in content.records]
    ended = sum(not status.pending for status in statuses)
    failed = sum(len(group.trials) for group in content.groups)
    said = []
    if ended and failed / ended >= 0.1:
        said.append(
            f"{failed} of the {counted(ended, 'trial')} that ended have no usable loss "
            f"({failed / ended:.0%})."
        )
    if pending := sum(status.pending for status in statuses):
        verb = "has" if pending == 1 else "have"
        said.append(
            f"{pending} of {counted(len(statuses), 'trial')} {verb} not ended: "
            "this page shows the state in between."
        )
    if len(content.shown) < len(statuses):
        said.append(
            f"Charts and the table hold {len(content.shown)} of {len(statuses)} trials: every "
            "improvement, then failures, then an even sample of the rest. Sentences count all."
        )
    return f'<ul class="warnings">{markup.items(said)}</ul>' if said else ""


def history(content: Content) -> str:
    """Losses over trials."""
    columns = content.columns
    if not columns.usable.any():
        return ""
    steps = int(np.sum(np.diff(content.staircase[columns.usable]) < 0)) + 1
    cut = top(columns.loss)
    above = int(np.sum(columns.loss > cut))
    caption = (
        f"The best loss improved {counted(steps, 'time')} in {counted(len(columns.loss), 'trial')}."
    )
    if above:
        verb = "is" if above == 1 else "are"
        losses = f"{above} loss{'es' * (above != 1)}"
        caption += f" {losses} above {number(cut)} {verb} drawn on the upper edge."
    x = np.arange(len(columns.loss), dtype=float)
    line = pictures.Line("best so far", x, content.staircase)
    picture = pictures.losses([line], (x, columns.loss), cut, "Loss of each trial, best so far")
    return markup.section(
        "history", "Loss history", caption, markup.chart("history") + markup.fallback(picture)
    )


def importance(content: Content) -> str:
    """The importance of each parameter."""
    if not content.records:
        return ""
    found = content.importance
    title = "What mattered"
    if isinstance(found, str):
        return markup.section("importance", title, f"{found[:1].upper()}{found[1:]}.", "")
    few = found.trials < FEW
    caption = (
        f"The share of the loss's variance that each parameter explains by itself, over the range "
        f"that was tried: functional ANOVA of a random forest, fitted to {found.trials} trials; "
        f"whiskers are quartiles over its trees. Interactions and noise explain the remaining "
        f"{found.rest:.0%}."
    )
    if few:
        caption = f"Too few trials ({found.trials} of at least {FEW}) to trust this. {caption}"
    rows = [
        [label, f"{s:.1%}", f"{low:.1%}", f"{high:.1%}"]
        for label, s, low, high in zip(
            found.labels, found.share, found.low, found.high, strict=True
        )
    ]
    head = ["parameter", "share", "lower quartile", "upper quartile"]
    body = pictures.bars(found, few) + markup.details("As a table", markup.table(head, rows))
    return markup.section("importance", title, caption, body)


def parameters_of(content: Content) -> str:
    """Loss against each parameter, and all parameters at once."""
    if not content.by_label or not content.columns.usable.any():
        return ""
    slices = markup.section(
        "slices",
        "Loss by parameter",
        "Each point is a trial, from early (dark) to late (bright) unless other colours are chosen "
        "above; bars are medians of a part of the axis. Trials in which a parameter is inactive "
        "stand in the lane at the left. Drag over a chart to select trials on all charts.",
        markup.chart("slices"),
        scripted=True,
    )
    together = markup.section(
        "parallel",
        "All parameters at once",
        "Each line is a trial, the brighter the better its loss ranks unless other colours are "
        "chosen above. Lines of trials in which a parameter is inactive cross its axis in the lane "
        "below. Drag along an axis to select.",
        markup.chart("parallel"),
        scripted=True,
    )
    return slices + together


def trials(content: Content) -> str:
    """The table of trials."""
    names, *rows = table.top_table(content.study, _TOP)
    if not content.records:
        return ""
    body = markup.fallback(markup.table(names, rows)) if rows else ""
    caption = f"The {len(rows)} best trials." if rows else "No trial has a loss."
    return markup.section(
        "trials", "Trials", "", markup.chart("table") + markup.fallback(f"<p>{caption}</p>") + body
    )


def timeline(content: Content) -> str:
    """The times at which trials ran."""
    line = content.timeline
    if line is None:
        return ""
    took = line.end - line.begin
    median = float(np.median(took))
    slow: list[int] = []
    if len(took) >= 5 and median > 0:
        slow = np.flatnonzero(took > _STRAGGLER * median).tolist()
    waits = [
        t.started - t.asked
        for t in content.records
        if t.started is not None and t.asked is not None
    ]
    caption = (
        f"{counted(len(line.id), 'trial')} in {counted(line.lanes, 'lane')} over "
        f"{span(float(line.end.max()))}: {line.busy:.0%} busy and {1 - line.busy:.0%} idle. "
        f"The median trial took {span(median)}."
    )
    if waits:
        wait = max(0.0, float(np.median(waits)))
        caption += f" The median wait from suggestion to start was {span(wait)}."
    if slow:
        worst = sorted(slow, key=lambda i: -took[i])[:_NAMED]
        named = ", ".join(f"{text(line.id[i])} ({span(float(took[i]))})" for i in worst)
        verb = "trial took" if len(slow) == 1 else "trials took"
        caption += f" {len(slow)} {verb} over {_STRAGGLER} times as long: {named}."
    return markup.section(
        "timeline", "Slots over time", caption, markup.chart("timeline"), raw=True
    )


def failures(content: Content) -> str:
    """The trials without a loss, by cause."""
    if not content.groups:
        return ""
    count = sum(len(group.trials) for group in content.groups)
    caption = f"{counted(count, 'trial')} without a usable loss, by cause."
    if (region := content.region) is not None:
        caption += (
            f" Of {region.trials} trials with {region.text}, {region.failed} failed; "
            f"of all others, {region.outside:.0%}."
        )
    parts = []
    for group in content.groups:
        ids = ", ".join(text(trial.id) for trial in group.trials[:_NAMED])
        more = ", ..." if len(group.trials) > _NAMED else ""
        message = "" if content.redact else f": {text(group.message)}"
        how_many = counted(len(group.trials), "trial")
        head = f"{how_many} ({ids}{more}) ended as {group.status.value}{message}"
        parts.append(f"<li>{head}{_traceback(content, group.trials[0])}</li>")
    return markup.section(
        "failures", "Failures", caption, f'<ol class="causes">{"".join(parts)}</ol>'
    )


def _traceback(content: Content, trial: Any) -> str:
    if content.redact or trial.failure is None or not trial.failure.traceback:
        return ""
    body = markup.block(trial.failure.traceback)
    return markup.details(f"Traceback of trial {text(trial.id)}", body)
