"""Figures drawn without a display: what is on them, and that pyplot knows nothing of them."""

from __future__ import annotations

import functools
import io
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text

from sparktune import Study, Trials, fmin, hp, plots
from sparktune.errors import InvalidArgument
from sparktune.plots import drawing, hyperopt_style
from sparktune.trial import Status, Trial

OK, FAIL, ERROR = Status.OK, Status.FAIL, Status.ERROR
SPACE = {
    "rate": hp.loguniform("rate", -9, 0),
    "kind": hp.choice(
        "kind", ["a", {"name": "long name of an option", "n": hp.randint("n", 1, 50)}]
    ),
}
ALL: dict[str, Callable[..., Figure]] = {
    "history": plots.history,
    "values": plots.values,
    "histograms": plots.histograms,
    "scatter": plots.scatter,
    "parallel_coordinates": plots.parallel_coordinates,
    "importance": plots.importance,
    "convergence": lambda trials: plots.convergence({"only": trials}),
    "timeline": plots.timeline,
}


def sampled(n: int) -> Trials:
    """n trials of SPACE on three slots; every tenth raises, the fifth has an infinite loss."""
    rng = np.random.default_rng(0)
    trials = Trials()
    trials.labels = ("rate", "kind", "n")
    for id in range(n):
        values: dict[str, Any] = {"rate": float(np.exp(rng.uniform(-9, 0))), "kind": id % 2}
        values |= {"n": int(rng.integers(1, 50))} if id % 2 else {}
        status = ERROR if id % 10 == 9 else OK
        loss = math.inf if id == 4 else values["rate"] + values.get("n", 0) / 50
        begin = 60.0 * (id // 3)
        trial = Trial(id, values, status, asked=begin, started=begin, finished=begin + 50)
        trials.records[id] = replace(trial, loss=loss if status is OK else None)
    return trials


@pytest.fixture(scope="module")
def trials() -> Trials:
    return sampled(60)


def places(points: Any) -> Any:
    """(n, 2): where the points of a scatter are."""
    return np.asarray(points.get_offsets())


def heights(line: Line2D) -> Any:
    """(n,): the values of a line."""
    return np.asarray(line.get_ydata())


@pytest.fixture(scope="module")
def study() -> Study:
    """The same as `trials`."""
    return Study(SPACE, records=sampled(60).records)


def dots(ax: Any) -> list[int]:
    """The number of points in each scatter of some axes."""
    found = [c for c in ax.collections if isinstance(c, PathCollection)]
    return [len(places(each)) for each in found]


def legend(owner: Any) -> list[str]:
    return [text.get_text() for text in owner.get_legend().get_texts()]


def drawn(figure: Figure) -> dict[str, Any]:
    """What is on a figure: texts, and the coordinates of points and lines."""
    axes = figure.axes
    return {
        "texts": sorted(text.get_text() for text in figure.findobj(Text)),
        "dots": [dots(ax) for ax in axes],
        "lines": [np.asarray(line.get_xydata()).tolist() for ax in axes for line in ax.lines],
    }


@pytest.mark.parametrize("name", ALL)
def test_every_plot_of_a_study_is_that_of_its_trials(name: str, study: Study) -> None:
    trials = sampled(60)
    trials.labels = study.labels
    space = {} if name in ("history", "convergence", "timeline") else {"space": SPACE}
    of_trials = functools.partial(ALL[name], **space)(trials)
    assert repr(drawn(ALL[name](study))) == repr(drawn(of_trials))


@pytest.fixture(scope="module")
def thousand() -> Trials:
    return sampled(1000)


@pytest.mark.parametrize("name", ALL)
def test_every_plot_of_a_thousand_trials_is_drawn_without_pyplot(
    name: str, thousand: Trials
) -> None:
    figure = ALL[name](thousand)
    assert isinstance(figure, Figure)
    png: bytes = figure._repr_png_()  # type: ignore[attr-defined]
    assert png.startswith(b"\x89PNG")  # what a notebook shows
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("importance", "timeline")])
def test_a_single_trial_is_drawn(name: str) -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {"x": 0.5, "c": 3}, OK, loss=1.0)
    ALL[name](trials).savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("name", ALL)
def test_empty_trials_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="there are no trials yet"):
        ALL[name](Trials())


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("histograms", "timeline")])
def test_trials_that_all_failed_are_refused(name: str) -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {"x": 0.5}, ERROR)
    with pytest.raises(InvalidArgument, match=r"none of 1 trials has a finite loss \(1 error\)"):
        ALL[name](trials)


@pytest.mark.parametrize(
    "draw",
    [
        plots.history,
        plots.timeline,
        plots.parallel_coordinates,
        plots.importance,
        lambda trials, ax: plots.convergence({"a": trials}, ax=ax),
    ],
)
def test_plots_are_drawn_on_given_axes(draw: Callable[..., Figure], trials: Trials) -> None:
    whole = Figure(layout="constrained")
    parts: Any = whole.subfigures(1, 2)
    left, right = parts
    ax, other = left.subplots(), right.subplots()
    assert draw(trials, ax=ax) is whole
    assert ax.has_data()
    assert not other.has_data()


def test_history_shows_losses_the_best_line_and_failures(trials: Trials) -> None:
    (ax,) = plots.history(trials).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("trial", "loss")
    assert dots(ax) == [53, 1, 6]
    (line,) = ax.get_lines()
    best = min(t.loss for t in trials.records.values() if t.loss is not None)
    assert heights(line)[-1] == best
    assert legend(ax) == ["ok (53)", f"best so far: {best:.3g}", "loss not finite (1)", "error (6)"]


def test_history_marks_what_is_off_the_axis() -> None:
    trials = Trials()
    for id, loss in enumerate([1e9, *np.linspace(0, 1, 49)]):
        trials.records[id] = Trial(id, {}, OK, loss=float(loss))
    (ax,) = plots.history(trials).axes
    assert dots(ax) == [49, 1, 0]
    ((x, y),) = places(ax.collections[1])
    assert x == 0
    assert 1 < y < ax.get_ylim()[1] < 3
    assert legend(ax)[-1] == "off the axis (1)"


def test_values_have_an_axis_for_each_parameter(trials: Trials) -> None:
    figure = plots.values(trials, space=SPACE)
    rate, kind, n = figure.axes
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["rate", "kind", "n"]
    assert [ax.get_yscale() for ax in figure.axes] == ["log", "linear", "linear"]
    assert dots(rate) == dots(kind) == [53, 7, 1]
    assert dots(n) == [24, 6]  # the best trial has no n
    assert [label.get_text() for label in kind.get_yticklabels()] == ["a", "long name of …"]
    assert [text.get_text() for text in figure.texts] == ["trial"]
    (shown,) = figure.legends
    assert [text.get_text() for text in shown.get_texts()] == [
        "finite loss",
        "no finite loss",
        "best",
    ]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1.5, 4.5, {"2", "3", "4"}),
        (3.0, 63.0, {"3", "10", "30"}),
        (1e-4, 1.0, {"$\\mathdefault{10^{-4}}$", "$\\mathdefault{10^{0}}$"}),
    ],
)
def test_a_logarithmic_axis_has_few_labels_whatever_it_spans(
    low: float, high: float, labels: set[str]
) -> None:
    trials = Trials()
    for id, value in enumerate((low, high)):
        trials.records[id] = Trial(id, {"x": value}, OK, loss=0.0)
    figure = plots.values(trials, space=hp.loguniform("x", -9, 5))
    (ax,) = figure.axes
    figure.draw_without_rendering()
    ends = ax.get_ylim()
    ticks = [*ax.yaxis.get_major_ticks(), *ax.yaxis.get_minor_ticks()]
    shown = {tick.label1.get_text() for tick in ticks if ends[0] <= tick.get_loc() <= ends[1]}
    assert labels <= shown
    assert len(shown - {""}) <= 6


def test_only_wanted_parameters_are_drawn_in_their_order(trials: Trials) -> None:
    figure = plots.values(trials, labels=["n", "rate"])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["n", "rate"]


def test_scatter_shows_losses_over_values_by_age(trials: Trials) -> None:
    rate, kind, n, bar = plots.scatter(trials, space=SPACE).axes
    assert [dots(ax) for ax in (rate, kind, n)] == [[53, 1], [53, 1], [24]]
    assert rate.get_xscale() == "log"
    assert bar.get_ylabel() == "trial"
    assert [text.get_text() for text in rate.figure.texts] == ["loss"]
    ids = rate.collections[0].get_array()
    np.testing.assert_array_equal(ids, [i for i in range(60) if i % 10 != 9 and i != 4])


def test_histograms_compare_studies(trials: Trials) -> None:
    figure = plots.histograms({"one": trials, "two": sampled(30)}, space=SPACE)
    patches = [p for p in figure.axes[1].patches if isinstance(p, StepPatch)]
    np.testing.assert_array_equal(patches[0].get_data()[0], [0.5, 0.5])
    assert [patch.get_fill() for patch in patches] == [True, False]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]
    assert [text.get_text() for text in figure.texts] == ["share of trials where active"]
    with pytest.raises(InvalidArgument, match="empty dict"):
        plots.histograms({})


def test_a_histogram_alone_needs_no_legend_and_no_loss() -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {"x": 0.5}, ERROR)
    assert plots.histograms(trials).legends == []


def test_parallel_coordinates_draw_a_line_for_each_trial_with_a_loss(trials: Trials) -> None:
    ax, bar = plots.parallel_coordinates(trials, space=SPACE).axes
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(lines.get_segments()) == 53
    assert [label.get_text() for label in ax.get_xticklabels()] == ["rate", "kind", "n", "loss"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["inactive"]
    assert bar.get_ylabel() == "loss"
    best = heights(ax.get_lines()[0])
    assert (best[1], best[3]) == (0, 0)
    assert best[2] < 0


def test_importance_names_its_method(trials: Trials) -> None:
    (ax,) = plots.importance(trials, space=SPACE).axes
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(labels[:3]) == ["kind", "n", "rate"]
    assert labels[3] == "interactions, noise"
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_width() for bar in bars) == pytest.approx(1)
    assert "functional ANOVA of a random forest over 53 trials" in ax.get_xlabel()
    assert "Hutter et al., ICML 2014" in ax.get_xlabel()


def test_convergence_has_a_line_for_each_method_and_a_band_for_repeated_ones(
    trials: Trials,
) -> None:
    (ax,) = plots.convergence({"many": [trials, sampled(40)], "one": trials}).axes
    assert [len(heights(line)) for line in ax.get_lines()] == [40, 60]
    assert len(ax.collections) == 1
    assert ax.get_xlabel() == "evaluations"
    assert ax.get_ylabel().startswith("best loss so far")
    assert legend(ax) == ["many (2 runs)", "one (1 run)"]


def test_a_timeline_has_a_bar_for_each_trial(trials: Trials) -> None:
    (ax,) = plots.timeline(trials).axes
    (bars,) = [c for c in ax.collections if isinstance(c, PolyCollection)]
    assert len(bars.get_paths()) == 60
    red = to_rgba(drawing.STATUS_COLOURS[ERROR])
    assert sum(tuple(colour) == red for colour in np.asarray(bars.get_facecolor())) == 6
    assert ax.get_xlabel() == "time since the first trial began (min); slots busy 84% of it"
    assert ax.get_ylabel() == "slot"
    assert legend(ax) == ["ok (54)", "error (6)"]
    assert np.asarray(bars.get_paths()[59].vertices)[:, 0].max() == pytest.approx(
        (19 * 60 + 50) / 60
    )


@pytest.mark.parametrize(("seconds", "unit"), [(299, "s"), (301, "min"), (7300, "h")])
def test_a_timeline_has_the_unit_that_suits_it(seconds: float, unit: str) -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {}, OK, loss=0.0, started=1e9, finished=1e9 + seconds)
    (ax,) = plots.timeline(trials).axes
    assert f"({unit})" in ax.get_xlabel()


@pytest.mark.parametrize(
    ("missing", "draw", "said"),
    [
        ("matplotlib", plots.history, r"needs matplotlib; .*pip install 'sparktune\[plots\]'"),
        ("sklearn", plots.importance, r"needs scikit-learn; .*pip install 'sparktune\[sklearn\]'"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    missing: str, draw: Any, said: str, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=said):
        draw(trials)


def test_importing_plots_imports_no_drawing_library() -> None:
    code = (
        "import sys, sparktune.plots, sparktune.plots.hyperopt_style;"
        "print([name for name in ('matplotlib', 'sklearn', 'scipy.stats') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LABELS = ("$x$", "a$_{$b", "$\\frac{$", "\x1b[2J$", "line\nbreak")
STRANGE: dict[str, Any] = {label: hp.uniform(label, 0, 1) for label in LABELS}
STRANGE["kind"] = hp.choice("kind", ["$a$", "$\\frac{$", "\x07$", "b"])


@pytest.mark.parametrize("kind", ALL)
def test_labels_and_options_are_drawn_as_they_are(kind: str) -> None:
    trials, rng = Trials(), np.random.default_rng(0)
    trials.labels = (*LABELS, "kind")
    for id in range(40):
        values: dict[str, Any] = {label: float(rng.uniform()) for label in LABELS}
        values["kind"] = id % 4
        loss = sum(values.values())
        trials.records[id] = Trial(
            id, values, OK, loss=loss, asked=id, started=id, finished=id + 1.0
        )
    if kind == "convergence":
        figure = plots.convergence(dict.fromkeys(LABELS, trials))
    elif kind in ("history", "timeline"):
        figure = ALL[kind](trials)
    else:
        figure = getattr(plots, kind)(trials, space=STRANGE)
    figure.savefig(io.BytesIO(), format="svg")  # a formula that is none raises here
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert all(text.replace("\n", "").isprintable() for text in texts)
    assert "line\nbreak" not in texts
    drawn = [text for text in texts if "frac" in text]
    assert drawn or kind in ("history", "timeline")
    assert all("$" not in text.replace(r"\$", "") for text in drawn)


def test_hyperopts_plots_draw_labels_as_they_are() -> None:
    trials = Trials()
    fmin(sum_of, dict(STRANGE), "random", 5, trials=trials, verbose=False)
    hyperopt_style.main_plot_vars(trials, do_show=False)
    plt.gcf().savefig(io.BytesIO(), format="svg")


def sum_of(point: dict[str, Any]) -> float:
    return float(sum(value for value in point.values() if isinstance(value, float)))
