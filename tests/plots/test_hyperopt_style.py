"""Hyperopt's plotting functions: on pyplot's current figure, with Hyperopt's arguments."""

from __future__ import annotations

import inspect
import math
import pickle
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from sparktune import STATUS_FAIL, STATUS_OK, Trials, fmin, hp
from sparktune.errors import InvalidArgument
from sparktune.plots import hyperopt_style as style

SPACE = {
    "x": hp.uniform("x", -1, 1),
    "log_rate": hp.loguniform("log_rate", -6, 0),
    "more": hp.choice("more", [None, hp.normal("y", 0, 1)]),
}


def objective(config: dict[str, Any]) -> dict[str, Any]:
    loss = config["x"] ** 2
    if config["x"] > 0.9:
        raise ValueError("too large")
    if config["x"] > 0.8:
        return {"status": STATUS_FAIL, "loss": loss}
    if config["x"] > 0.7:
        return {"status": STATUS_FAIL}
    if config["x"] > 0.6:
        return {"status": STATUS_OK, "loss": math.inf}
    curve = np.linspace(0, loss, 5)
    attachments = {"curve": curve, "pickled": pickle.dumps(curve[:, None]), "table": np.eye(2)}
    return {"status": STATUS_OK, "loss": loss, "true_loss": loss + 1, "attachments": attachments}


@pytest.fixture(scope="module")
def trials() -> Trials:
    found = Trials()
    options: dict[str, Any] = {"catch_eval_exceptions": True, "show_progressbar": False, "seed": 1}
    fmin(objective, SPACE, "random", 60, trials=found, **options)
    return found


def places(points: Any) -> Any:
    """(n, 2): where the points of a scatter are."""
    return np.asarray(points.get_offsets())


def finite(trials: Trials) -> list[float]:
    return [loss for loss in trials.losses() if loss is not None and math.isfinite(loss)]


@pytest.mark.parametrize("name", [name for name in style.__all__ if name.startswith("main")])
def test_signatures_are_those_of_hyperopt(name: str) -> None:
    plotting = pytest.importorskip("hyperopt.plotting")
    ours = inspect.signature(getattr(style, name)).parameters.values()
    theirs = inspect.signature(getattr(plotting, name)).parameters.values()
    assert [each.name for each in ours] == [each.name for each in theirs]
    pairs = [(a.default, b.default) for a, b in zip(ours, theirs, strict=True)]
    assert all(a == b for a, b in pairs if not callable(a))


@pytest.mark.parametrize(
    "draw",
    [
        style.main_plot_history,
        style.main_plot_histogram,
        style.main_plot_vars,
        lambda trials, do_show=True: style.main_plot_1D_attachment(trials, "curve", do_show),
    ],
)
def test_the_current_figure_is_drawn_on_and_shown_on_demand(
    draw: Callable[..., None], trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[bool] = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(True))
    figure = plt.figure()
    draw(trials, do_show=False)
    assert plt.gcf() is figure
    assert figure.axes[0].has_data()
    assert shown == []
    draw(trials)
    assert shown == [True]


def test_history_shows_losses_by_status_and_the_best_true_loss(trials: Trials) -> None:
    style.main_plot_history(trials, do_show=False, title="mine")
    ax = plt.gca()
    (points,) = ax.collections
    known = [(loss, s) for loss, s in zip(trials.losses(), trials.statuses(), strict=True) if loss]
    np.testing.assert_array_equal(places(points)[:, 1], [loss for loss, _ in known])
    colours = [to_rgba(style.default_status_colors[status]) for _, status in known]
    np.testing.assert_array_equal(np.asarray(points.get_facecolor()), colours)
    assert len({status for _, status in known}) == 2
    assert np.asarray(ax.get_lines()[0].get_ydata())[0] == min(finite(trials)) + 1
    assert (ax.get_title(), ax.get_ylabel()) == ("mine", "loss")


def test_history_takes_colours(trials: Trials) -> None:
    style.main_plot_history(trials, False, {"ok": "black", "fail": "white"})
    (points,) = plt.gca().collections
    assert {tuple(each) for each in np.asarray(points.get_facecolor())} == {
        (0, 0, 0, 1),
        (1, 1, 1, 1),
    }


def test_the_histogram_counts_finite_losses(trials: Trials) -> None:
    style.main_plot_histogram(trials, do_show=False)
    bars = [patch for patch in plt.gca().patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == len(finite(trials))


def test_vars_show_each_parameter_by_label(trials: Trials) -> None:
    style.main_plot_vars(trials, do_show=False, colorize_best=3, columns=2)
    axes = plt.gcf().axes
    assert [ax.get_title() for ax in axes] == ["log_rate", "more", "x", "y"]
    assert [ax.get_yscale() for ax in axes] == ["log", "linear", "linear", "linear"]
    counts = [len(places(ax.collections[0])) for ax in axes]
    assert counts == [len(trials.vals[label]) for label in ("log_rate", "more", "x", "y")]
    colours = np.asarray(axes[2].collections[0].get_facecolor())
    assert [tuple(colour) for colour in colours].count(to_rgba((0.9, 0.62, 0.0))) == 3
    losses = dict(zip(trials.tids, trials.losses(), strict=True))
    lowest = places(axes[2].collections[0])[0, 0]
    assert losses[lowest] is None  # drawn first, below all others, in white
    np.testing.assert_array_equal(colours[0], [1, 1, 1, 1])


def test_vars_can_be_arranged_by_loss(trials: Trials) -> None:
    style.main_plot_vars(trials, do_show=False, arrange_by_loss=True)
    points = places(plt.gcf().axes[2].collections[0])
    assert sorted(points[:, 0]) == sorted(finite(trials))
    np.testing.assert_allclose(points[:, 0], points[:, 1] ** 2)


@pytest.mark.parametrize("name", ["curve", "pickled"])
def test_attachments_are_lines_the_darkest_for_the_best(name: str, trials: Trials) -> None:
    style.main_plot_1D_attachment(
        trials,
        name,
        do_show=False,
        num_trails=6,
        max_darkness=0.8,
        preprocessing_fn=lambda x: 2 * x,
    )
    ax = plt.gca()
    opacity = [to_rgba(line.get_color())[3] for line in ax.get_lines()]
    assert len(opacity) == 6
    assert opacity[0] == pytest.approx(0.8)
    assert opacity == sorted(opacity, reverse=True)
    best = min(loss for loss, status in zip(trials.losses(), trials.statuses(), strict=True)
               if loss is not None and status == STATUS_OK)  # fmt: skip
    np.testing.assert_allclose(
        np.asarray(ax.get_lines()[0].get_ydata()), 2 * np.linspace(0, best, 5)
    )
    legend = ax.get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == 6
    assert ax.get_title() == name


def test_many_attachments_have_no_legend_and_may_have_colours(trials: Trials) -> None:
    style.main_plot_1D_attachment(trials, "curve", do_show=False, colorize_by_loss=False)
    ax = plt.gca()
    attached = [doc for doc in trials if "curve" in trials.trial_attachments(doc)]
    assert len(ax.get_lines()) == len(attached) >= 10
    assert ax.get_legend() is None
    assert len({line.get_color() for line in ax.get_lines()}) == 10


def test_attachments_that_are_no_lines_are_refused(trials: Trials) -> None:
    with pytest.raises(InvalidArgument, match=r"no trial with a loss .* 'table'"):
        style.main_plot_1D_attachment(trials, "table", do_show=False)


@pytest.mark.parametrize(
    "draw", [style.main_plot_history, style.main_plot_histogram, style.main_plot_vars]
)
def test_trials_without_a_loss_are_refused(draw: Callable[..., None]) -> None:
    with pytest.raises(InvalidArgument, match="none of 0 trials"):
        draw(Trials(), do_show=False)


def test_a_space_without_parameters_has_no_vars() -> None:
    trials = Trials()
    with pytest.warns(UserWarning, match="no hp"):
        fmin(lambda _: 1.0, {"a": 1}, max_evals=2, trials=trials, show_progressbar=False)
    with pytest.raises(InvalidArgument, match="no parameters"):
        style.main_plot_vars(trials, do_show=False)
