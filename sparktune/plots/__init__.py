"""Pictures of studies.

    from sparktune import plots

    plots.history(study).savefig("history.png")

Every function takes a `Study`, or the `Trials` that were given to `fmin`, draws with matplotlib and
returns the `matplotlib.figure.Figure`, which a notebook shows where it is a cell's last value.
Nothing is opened and pyplot's current figure is left alone. Functions that draw one pair of axes
take them as `ax`. Trials that wait or run are left out unless said otherwise.

`space` is the search space, which says which axes are logarithmic and what the options of a choice
are called; a study, and trials of `fmin` or of a journal, know it.
`labels` are the parameters wanted, in order; None: all.

All functions raise `InvalidArgument` where there is nothing to draw (no trials, none ended, none
with a finite loss) and `ImportError` where a package is missing: pip install 'sparktune[plots]'.

What is drawn is computed in `results` (series, scales, importance), and drawn in `runs` and
`panels`.
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
    """The loss of each trial by its id, the best so far as a line, trials without a finite loss as
    marks at the foot. A few huge losses are cut off and shown as triangles.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_history

    return draw_history(series.loss_history(trials), ax)


def convergence(
    studies: Mapping[str, Finished | Sequence[Finished]], *, ax: Axes | None = None
) -> Figure:
    """The best loss after each evaluation of several methods: the median over repeated runs, and a
    band between the quartiles.

    Args:
        studies: {name: trials, or a list of trials of repeated runs}. Failed trials count as
            evaluations; runs are cut to the shortest of their name.
        ax: where to draw; None: a new figure.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_convergence

    return draw_convergence(series.convergence(studies), ax)


def timeline(trials: Finished, *, ax: Axes | None = None) -> Figure:
    """When each trial ran, on which slot, coloured by how it ended, or by its budget where there
    are several and it ended well: shows idle slots, stragglers and failures.

    Slots are not recorded: they are the fewest lanes in which no two trials overlap. Of a trial
    that crashed or ran out of time the start is not known either; it is taken to be when the trial
    was handed out or its lane came free. A trial that is still running is drawn to the latest known
    time.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_timeline

    return draw_timeline(series.timeline(trials), ax)


def rungs(trials: Finished, *, ax: Axes | None = None) -> Figure:
    """The loss against the budget, with a line for each configuration that was evaluated with
    several: those that were promoted, those that climbed whatever their losses were, and the best.
    For studies whose scheduler gives budgets.
    """
    _matplotlib()
    from sparktune.plots.runs import draw_rungs

    return draw_rungs(curves(trials), ax)


def values(trials: Finished, *, space: Any = None, labels: Sequence[str] | None = None) -> Figure:
    """The values of each parameter over the trials, with a star on the best trial."""
    _matplotlib()
    from sparktune.plots.panels import draw_values

    study = series.columns(trials)
    wanted = scales.scales([study], space, labels)
    return draw_values([scales.values(study, scale) for scale in wanted])


def scatter(trials: Finished, *, space: Any = None, labels: Sequence[str] | None = None) -> Figure:
    """The loss against the values of each parameter, coloured from early to late trials, with a
    star on the best. Trials without a finite loss are left out.
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
    """How often the values of each parameter were tried, as shares of the trials in which it was
    active; failed trials count.

    Args:
        trials: one study, or {name: trials} to compare several.
        space: see above.
        labels: see above.
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
    """Each trial with a finite loss as a line through its values, coloured by loss; the last axis
    is the loss. Where a parameter is inactive, the line passes below its axis.
    """
    _matplotlib()
    from sparktune.plots.panels import draw_coordinates

    study = series.columns(trials)
    wanted = scales.scales([study], space, labels)
    return draw_coordinates(scales.coordinates(study, wanted), ax)


def importance(trials: Finished, *, space: Any = None, ax: Axes | None = None) -> Figure:
    """The share of the loss's variance that each parameter explains by itself: functional ANOVA of
    a random forest (F. Hutter, H. Hoos, K. Leyton-Brown, "An Efficient Approach for Assessing
    Hyperparameter Importance", ICML 2014).

    It describes the whole range that was tried, not the neighbourhood of the best trial, and only
    what a forest can learn from the trials: expect little from fewer than about 100. A parameter
    that is active in few trials can explain little of all. Where one is inactive it counts as the
    median of its values.

    Needs scikit-learn in addition to matplotlib: pip install 'sparktune[plots,sklearn]'; and at
    least 10 trials with a finite loss.
    """
    _matplotlib()
    from sparktune.plots.panels import draw_importance

    study = series.columns(trials)
    wanted = scales.scales([study], space)
    return draw_importance(shares_of(scales.units(study, wanted), study.loss[study.usable]), ax)


def _matplotlib() -> None:
    require("matplotlib", "this plot", "matplotlib", "plots")
