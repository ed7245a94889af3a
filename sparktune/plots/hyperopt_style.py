"""The plotting functions of Hyperopt, under their names and with their arguments.

Unlike the other plots, these functions draw on pyplot's current figure, so that `plt.savefig` or
further drawing may follow. They show it unless `do_show` is false. They read documents
(`trials.losses()`, `trials.miscs`, ...), so they only see trials that returned or still run. They
raise `InvalidArgument` if there is nothing to draw.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.printable import printable
from sparktune.results.packages import require
from sparktune.results.scales import looks_logarithmic
from sparktune.results.series import Array
from sparktune.trial import STATUS_FAIL, STATUS_NEW, STATUS_OK, STATUS_RUNNING, STATUS_SUSPENDED

__all__ = [
    "default_status_colors",
    "main_plot_1D_attachment",
    "main_plot_histogram",
    "main_plot_history",
    "main_plot_vars",
]

default_status_colors = {
    STATUS_NEW: "#000000",
    STATUS_RUNNING: "#009E73",
    STATUS_SUSPENDED: "#999999",
    STATUS_OK: "#0072B2",
    STATUS_FAIL: "#D55E00",
}
_LEGEND = 10  # number of lines from which there is no legend


def main_plot_history(
    trials: Any,
    do_show: bool = True,
    status_colors: Mapping[str, Any] | None = None,
    title: str = "Loss History",
) -> None:
    """Plot the losses in the order of the trials, coloured by status, with a line at the best one,
    or at its `true_loss` if the objective returned that.
    """
    plt = _pyplot()
    colours = default_status_colors if status_colors is None else status_colors
    found = [
        (loss, colours[status])
        for loss, status in zip(_losses(trials), trials.statuses(), strict=True)
        if not math.isnan(loss)
    ]
    plt.scatter(range(len(found)), [loss for loss, _ in found], c=[colour for _, colour in found])
    best = _best(trials)
    if best is not None:
        plt.axhline(best, color="#009E73", linewidth=1)
    plt.xlabel("trial with a loss, in order")
    plt.ylabel("loss")
    _finish(plt, title, do_show)


def main_plot_histogram(trials: Any, do_show: bool = True, title: str = "Loss Histogram") -> None:
    """Plot a histogram of the losses."""
    plt = _pyplot()
    losses = _losses(trials)
    plt.hist(losses[np.isfinite(losses)], color=default_status_colors[STATUS_OK])
    plt.xlabel("loss")
    plt.ylabel("number of trials")
    _finish(plt, title, do_show)


def main_plot_vars(
    trials: Any,
    do_show: bool = True,
    fontsize: float = 10,
    colorize_best: int | None = None,
    columns: int = 5,
    arrange_by_loss: bool = False,
) -> None:
    """Plot the values of each parameter over the ids of the trials; a smaller loss is darker.

    Args:
        trials: the trials.
        do_show: show the figure.
        fontsize: of the labels, in points.
        colorize_best: number of the best trials to draw in colour; None: 0.
        columns: most panels in a row.
        arrange_by_loss: plot the values over the losses instead of the ids.
    """
    plt = _pyplot()
    losses = dict(zip(trials.tids, _losses(trials), strict=True))
    shades = _shades(losses, colorize_best or 0)
    idxs, vals = _by_label(trials)
    if not idxs:
        raise InvalidArgument("nothing to plot: the trials have no parameters")
    across = min(columns, len(idxs))
    for place, label in enumerate(sorted(idxs), 1):
        ax = plt.subplot(math.ceil(len(idxs) / across), across, place)
        ax.set_title(printable(label).replace("$", r"\$"), fontsize=fontsize)
        ax.tick_params(labelbottom=False, labelsize=0.8 * fontsize)
        tids, tried = np.array(idxs[label], dtype=int), np.array(vals[label], dtype=float)
        loss = np.array([losses[tid] for tid in idxs[label]])
        if _is_logarithmic(label, tried):
            ax.set_yscale("log")
        worst_first = np.argsort(-np.nan_to_num(loss, nan=np.inf), kind="stable")
        order = worst_first[np.isfinite(loss[worst_first])] if arrange_by_loss else worst_first
        ax.scatter(
            loss[order] if arrange_by_loss else tids[order],
            tried[order],
            c=[shades[tid] for tid in tids[order]],
            s=16,
            edgecolors="#BBBBBB",
            linewidths=0.3,
        )
    plt.subplots_adjust(wspace=0.45, hspace=0.4)
    _show(plt, do_show)


def main_plot_1D_attachment(
    trials: Any,
    attachment_name: str,
    do_show: bool = True,
    colorize_by_loss: bool = True,
    max_darkness: float = 0.5,
    num_trails: int | None = None,
    preprocessing_fn: Callable[[Any], Any] = lambda x: x,
    line_width: float = 0.1,
) -> None:
    """Plot an attachment of each trial that has it and a finite loss, as a line over its indices.

    Args:
        trials: the trials.
        attachment_name: the name of the attachment, which must be a sequence of numbers or a pickle
            of one. Attachments of other shapes are left out.
        do_show: show the figure.
        colorize_by_loss: draw darker lines for smaller losses; else a colour for each line.
        max_darkness: opacity of the best line, from 0 to 1; the worst has a tenth of it.
        num_trails: number of trials to draw, evenly spread from the best to the worst; None: all.
            (Hyperopt's spelling.)
        preprocessing_fn: applied to each array before it is drawn.
        line_width: in points.

    Fewer than ten lines get a legend.
    """
    plt = _pyplot()
    losses = _losses(trials)
    lines = _attached(trials, losses, attachment_name)
    if not lines:
        raise InvalidArgument(
            f"nothing to plot: no trial with a loss has a one-dimensional attachment "
            f"{attachment_name!r}"
        )
    if num_trails is not None:
        chosen = np.linspace(0, len(lines), num_trails, endpoint=False, dtype=int)
        lines = [lines[i] for i in chosen]
    low, high = lines[0][0], lines[-1][0]
    for loss, line in lines:
        share = (high - loss) / (high - low) if high > low else 1.0
        colour = (0.0, 0.0, 0.0, max_darkness * (0.1 + 0.9 * share)) if colorize_by_loss else None
        drawn = preprocessing_fn(line)
        plt.plot(drawn, color=colour, linewidth=line_width, label=f"loss: {loss:.5}")
    if len(lines) < _LEGEND:
        plt.legend()
    plt.xlabel("index")
    _finish(plt, attachment_name, do_show)


def _pyplot() -> Any:
    require("matplotlib", "this plot", "matplotlib", "plots")
    import matplotlib.pyplot as plt

    return plt


def _finish(plt: Any, title: str, do_show: bool) -> None:
    plt.title(title)
    _show(plt, do_show)


def _show(plt: Any, do_show: bool) -> None:
    if do_show:
        plt.show()


def _losses(trials: Any) -> Array:
    """The loss of each trial, NaN where there is none; raises if none is finite."""
    losses = np.array([math.nan if loss is None else float(loss) for loss in trials.losses()])
    if not np.isfinite(losses).any():
        raise InvalidArgument(
            f"nothing to plot: none of {len(losses)} trials that returned has a finite loss"
        )
    return losses


def _best(trials: Any) -> float | None:
    """The smallest finite loss of the trials with status "ok", or the `true_loss` of that trial."""
    ok = [
        result
        for loss, result in zip(_losses(trials), trials.results, strict=True)
        if result["status"] == STATUS_OK and math.isfinite(loss)
    ]
    best = min(ok, key=lambda result: float(result["loss"]), default=None)
    return None if best is None else float(best.get("true_loss", best["loss"]))


def _by_label(trials: Any) -> tuple[dict[str, list[int]], dict[str, list[float]]]:
    """({label: ids}, {label: values}) of the trials in which each parameter was active."""
    idxs: dict[str, list[int]] = {}
    vals: dict[str, list[float]] = {}
    for misc in trials.miscs:
        for label, ids in misc["idxs"].items():
            idxs.setdefault(label, []).extend(ids)
            vals.setdefault(label, []).extend(misc["vals"][label])
    return idxs, vals


def _is_logarithmic(label: str, tried: Array) -> bool:
    """Whether a parameter is logarithmic, by its label as in Hyperopt, or else by its values."""
    if not len(tried) or tried.min() <= 0:
        return False
    return "log" in label or looks_logarithmic(tried)


def _shades(losses: Mapping[int, float], coloured: int) -> dict[int, tuple[float, float, float]]:
    """{id: colour}, from black (best) to white (worst, or no finite loss). The `coloured` best
    trials are orange.
    """
    ranked = sorted((loss, tid) for tid, loss in losses.items() if math.isfinite(loss))
    low, width = ranked[0][0], ranked[-1][0] - ranked[0][0]
    shades = dict.fromkeys(losses, (1.0, 1.0, 1.0))
    for place, (loss, tid) in enumerate(ranked):
        grey = (loss - low) / width if width else 0.0
        shades[tid] = (0.9, 0.62, 0.0) if place < coloured else (grey, grey, grey)
    return shades


def _attached(trials: Any, losses: Array, name: str) -> list[tuple[float, Any]]:
    """(loss, array) of each trial with a finite loss and the attachment `name`, the best first."""
    found = []
    for trial, loss in zip(trials, losses, strict=True):
        attachments = trials.trial_attachments(trial)
        if math.isfinite(loss) and name in attachments:
            content = attachments[name]
            content = pickle.loads(content) if isinstance(content, bytes) else content
            line = np.squeeze(np.asanyarray(content))
            if line.ndim == 1:
                found.append((float(loss), line))
    return sorted(found, key=lambda pair: pair[0])
