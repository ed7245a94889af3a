"""The section about the reliability of the best loss: noise, luck, and held-out data."""

from __future__ import annotations

import numpy as np

from sparktune.reporting import markup, pictures
from sparktune.reporting.content import Content
from sparktune.reporting.encoding import text
from sparktune.results import cells
from sparktune.results.cells import counted, number, span
from sparktune.results.corrected import HeldOut
from sparktune.results.series import top

_NAMED = 5  # largest number of trials in a sentence


def trust(content: Content) -> str:
    """The reliability of the best loss."""
    if content.best is None:
        return ""
    said = [*_noise(content), *_corrected(content)]
    found = content.held_out
    picture = ""
    if found is not None:
        said += _held_out(content, found)
        picture = _picture(content, found)
    elif content.noise is None and content.corrected is None:
        n = counted(int(content.columns.usable.sum()), "trial")
        said = [
            f"If losses are noisy, the best of {n} is partly luck: expect a larger loss on new "
            "data. These results do not show by how much.",
            "Return <code>loss_variance</code> beside the loss, or evaluate the best values "
            "several times on data that the search did not see.",
        ]
    body = f"<ul>{markup.items(said)}</ul>{picture}"
    return markup.section("trust", "How far to trust it", "", body)


def _noise(content: Content) -> list[str]:
    """The standard error of the best loss, and the trials that are as good within it."""
    found = content.noise
    if found is None:
        return []
    n = int(content.columns.usable.sum())
    near = ", ".join(text(trial.id) for trial in found.within[:_NAMED])
    more = " and others" if len(found.within) > _NAMED else ""
    said = [
        f"The standard error of the best loss is {number(found.error)}, according to "
        f"{found.source}.",
        f"{len(found.within)} of {n} trials lie within one standard error of the best "
        f"(trials {near}{more}): noise may have decided which one is the best."
        if len(found.within) > 1
        else "No other trial lies within one standard error of the best.",
    ]
    if found.fastest is not None and len(found.within) > 1:
        took = cells.duration(found.fastest) or 0.0
        said.append(f"The fastest of these is trial {text(found.fastest.id)} ({span(took)}).")
    if content.corrected is None and content.held_out is None:
        said.append(
            f"The best of {n} noisy losses is partly luck: expect a larger loss on new data."
        )
    return said


def _corrected(content: Content) -> list[str]:
    """The best loss, corrected for the choice of the smallest."""
    found = content.corrected
    if found is None:
        return []
    return [
        f"The best of {found.trials} losses is too small by about {number(found.bias)}: that is "
        f"how much other trials are better on single folds of the {found.folds} (Tibshirani and "
        f"Tibshirani 2009). The corrected loss is {number(found.loss)}."
    ]


def _held_out(content: Content, found: HeldOut) -> list[str]:
    """Losses on data that the search did not see."""
    assert content.best is not None
    last = found.trials[-1]
    named = "best trial" if last.id == content.best.id else f"trial {text(last.id)}"
    said = [
        f"On held-out data the loss of the {named} is {number(float(found.losses[-1]))}; in the "
        f"search it was {number(last.loss)}."
    ]
    if last.id != content.best.id:
        said.append(f"The held-out loss of the best trial, {text(content.best.id)}, is not known.")
    if len(found.losses) > 1:
        said.append(_overtuning(found))
    return said


def _overtuning(found: HeldOut) -> str:
    """A sentence on whether an earlier best trial was better on held-out data."""
    if found.overtuning <= 0:
        return (
            f"Of the {len(found.losses)} trials that were the best so far, it is also the best on "
            "held-out data."
        )
    smallest = int(found.losses.argmin())
    said = (
        f"Overtuning: on held-out data trial {text(found.trials[smallest].id)}, which was the best "
        f"before, is better by {number(found.overtuning)} (loss "
        f"{number(float(found.losses[smallest]))}). From there on, the search followed noise."
    )
    if found.losses[-1] > found.losses[0]:
        said += f" Even trial {text(found.trials[0].id)}, the first of them, is better."
    return said


def _picture(content: Content, found: HeldOut) -> str:
    """The best loss so far, and the loss of the same trials on held-out data."""
    if len(found.losses) < 2:
        return ""
    place = {trial.id: i for i, trial in enumerate(content.records)}
    n = len(content.records)
    held = np.full(n, np.nan)
    for trial, loss in zip(found.trials, found.losses, strict=True):
        held[place[trial.id] :] = loss
    x = np.arange(n, dtype=float)
    lines = [
        pictures.Line("search", x, content.staircase),
        pictures.Line("held-out", x, held),
    ]
    high = top(np.concatenate([content.staircase, held]))
    title = "Best loss so far, in the search and on held-out data"
    legend = (
        '<ul class="legend"><li><span class="key c0"></span>in the search</li>'
        '<li><span class="key c1"></span>on held-out data</li></ul>'
    )
    return pictures.losses(lines, None, high, title) + legend
