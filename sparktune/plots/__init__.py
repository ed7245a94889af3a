"""Plots of studies.

    from sparktune import plots

    plots.history(study).savefig("history.png")

Every function takes a `Study`, or the `Trials` that were given to `fmin`, draws with matplotlib and
returns a `matplotlib.figure.Figure`, which a notebook shows if it is the last value of a cell. The
functions open no window and do not change pyplot's current figure. Functions that draw a single
plot accept existing axes as `ax`. Waiting and running trials are left out unless stated otherwise.

`space` is the search space, which defines logarithmic axes and the names of options. It is only
needed for trials that do not know it: a study, and trials of `fmin` or of a journal, do.
`labels` are the parameters to include, in this order; None: all.

All functions raise `InvalidArgument` if there is nothing to draw (no trials, none ended, none with
a finite loss) and `ImportError` if a package is missing: pip install 'sparktune[plots]'.

`results` (series, scales, importance) computes the data; `runs` and `panels` draw it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparktune.errors import InvalidArgument
from sparktune.results import scales, series
from sparktune.results.importance import importance as shares_of
from sparktune.results.packages import require
from sparktune.results.rungs import curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sparktune.results.finished import Finished

__all__ = [
    "convergence",
    "histograms",
    "history",
    "importance",
    "parallel_coordinates",
    "rungs",
    "scatter",
    "timeline",
    "values",
]


def history(trials: Finished, *, ax: Axes | None = None) -> Figure:
    """Plot the loss of each trial over its id, and the best loss so far as a line. Trials without a
    finite loss are marks at the foot; a few huge losses are cut off and shown as triangles.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_history

    return draw_history(series.loss_history(trials), ax)


def convergence(
    studies: Mapping[str, Finished | Sequence[Finished]], *, ax: Axes | None = None
) -> Figure:
    """Plot the best loss so far of several methods over evaluations: the median over repeated runs,
    with a band between the quartiles.

    Args:
        studies: {name of a method: trials, or a list of the trials of repeated runs}. Failed trials
            count as evaluations; runs of one method are cut to the length of the shortest.
        ax: where to draw; None: a new figure.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_convergence

    return draw_convergence(series.convergence(studies), ax)


def timeline(trials: Finished, *, ax: Axes | None = None) -> Figure:
    """Plot the time span of each trial on its slot, which shows idle slots, stragglers and
    failures. The colour is the status, or the budget of successful trials if there are several.

    Slots are not recorded: they are the smallest number of lanes without an overlap. The start of a
    trial that crashed or timed out is not recorded either: it is the time at which the trial was
    handed out, or at which its lane became free. A running trial is drawn to the latest known time.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_timeline

    return draw_timeline(series.timeline(trials), ax)


def rungs(trials: Finished, *, ax: Axes | None = None) -> Figure:
    """Plot the loss over the budget, for studies whose scheduler gives budgets. Each configuration
    with several budgets is a line: promoted by its losses, promoted regardless of them, or the
    best.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_rungs

    return draw_rungs(curves(trials), ax)


def values(trials: Finished, *, space: Any = None, labels: Sequence[str] | None = None) -> Figure:
    """Plot the values of each parameter over the trials, with a star on the best trial."""
    _matplotlib()
    from sparktune.plots.panels import draw_values

    study = series.columns(trials)
    wanted = scales.scales([study], space, labels)
    return draw_values([scales.values(study, scale) for scale in wanted])


def scatter(trials: Finished, *, space: Any = None, labels: Sequence[str] | None = None) -> Figure:
    """Plot the loss over the values of each parameter, coloured from early to late trials, with a
    star on the best trial. Trials without a finite loss are left out.
    """
    _matplotlib()
    from sparktune.plots.panels import draw_scatter

    study = series.columns(trials)
    wanted = scales.scales([study], space, labels)
    return draw_scatter([scales.values(study, scale) for scale in wanted])


def histograms(
    trials: Finished | Mapping[str, Finished],
    *,
    space: Any = None,
    labels: Sequence[str] | None = None,
) -> Figure:
    """Plot histograms of the values of each parameter, as shares of the trials in which it was
    active, including failed trials.

    Args:
        trials: one study, or {name: trials} to compare several.
        space: the search space, as for all plots.
        labels: the parameters to include, as for all plots.
    """
    _matplotlib()
    from sparktune.plots.panels import draw_histograms

    given = trials if isinstance(trials, Mapping) else {"tried": trials}
    if not given:
        raise InvalidArgument("trials is an empty dict; give {name: trials}")
    studies = {str(name): series.columns(each, losses=False) for name, each in given.items()}
    wanted = scales.scales(studies.values(), space, labels)
    return draw_histograms([scales.histogram(studies, scale) for scale in wanted])


def parallel_coordinates(
    trials: Finished,
    *,
    space: Any = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Plot each trial with a finite loss as a line through its values, coloured by its loss. The
    last axis is the loss. A line passes below the axis of an inactive parameter.
    """
    _matplotlib()
    from sparktune.plots.panels import draw_coordinates

    study = series.columns(trials)
    wanted = scales.scales([study], space, labels)
    return draw_coordinates(scales.coordinates(study, wanted), ax)


def importance(trials: Finished, *, space: Any = None, ax: Axes | None = None) -> Figure:
    """Plot the share of the variance of the loss that each parameter explains by itself: functional
    ANOVA of a random forest (F. Hutter, H. Hoos, K. Leyton-Brown, "An Efficient Approach for
    Assessing Hyperparameter Importance", ICML 2014).

    The shares describe the whole range that was tried, not the neighbourhood of the best trial. The
    forest must learn the loss from the trials: expect little from fewer than about 100. A parameter
    that is active in few trials has a small share, because inactive ones count as the median.

    Needs scikit-learn in addition to matplotlib, pip install 'sparktune[plots,sklearn]', and at
    least 10 trials with a finite loss.
    """
    _matplotlib()
    from sparktune.plots.panels import draw_importance

    study = series.columns(trials)
    wanted = scales.scales([study], space)
    return draw_importance(shares_of(scales.units(study, wanted), study.loss[study.usable]), ax)


def _matplotlib() -> None:
    require("matplotlib", "this plot", "matplotlib", "plots")
