"""What is shown of studies whose configurations have several budgets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from sparktune import ASHA, InvalidArgument, Study, Trials, hp, plots, tune
from sparktune.plots import drawing
from sparktune.plots.runs import rung_colours
from sparktune.results.rungs import curves, rung_table, rungs
from sparktune.trial import Header, State, Status, Trial

OK = Status.OK


def trials(*rows: tuple[float, float | None, int | None, Status], state: bool = True) -> Trials:
    """(budget, loss, parent, status) of each trial; they leave states."""
    made = Trials()
    for i, (budget, loss, parent, status) in enumerate(rows):
        times: dict[str, Any] = {"asked": 1.0 * i, "started": 1.0 * i, "finished": i + 1.0}
        more: dict[str, Any] = {"parent": parent, "explore": i == 2} | times
        left = State("s", 1) if state and status is OK else None
        made.records[i] = Trial(i, {"x": i}, status, budget, loss, state=left, **more)
    return made


LADDER = trials(
    (1, 3.0, None, OK),
    (1, 2.0, None, OK),
    (1, 1.0, None, OK),
    (1, None, None, Status.ERROR),
    (1, 4.0, None, OK),
    (3, 2.5, 0, OK),
    (3, 1.5, 1, OK),
    (3, 0.5, 2, OK),
    (9, 0.7, 1, OK),
    (9, 0.6, 2, OK),
    (9, None, 0, Status.CANCELLED),
    (1, math.inf, None, OK),
)


def test_rungs_tell_evaluations_resource_and_rank_correlation() -> None:
    low, middle, top = rungs(LADDER)
    assert (low.budget, low.evaluations, low.usable, low.pairs) == (1, 6, 4, 2)
    assert (middle.evaluations, middle.usable, middle.pairs) == (3, 3, 2)
    assert (top.evaluations, top.usable) == (2, 2)
    assert math.isnan(low.correlation)
    assert [low.spent * 9, middle.spent * 9, top.spent * 9] == pytest.approx([6, 6, 16])
    anew = rungs(trials((1, 1.0, None, OK), (3, 1.0, 0, OK), state=False))
    assert [rung.spent for rung in anew] == pytest.approx([1 / 3, 1])


def test_correlations_are_those_with_the_largest_budget_that_has_losses() -> None:
    rows: list[Any] = [(1, float(i), None, OK) for i in range(5)]
    rows += [(3, -float(i), i, OK) for i in range(5)] + [(9, None, 5, Status.RUNNING)]
    low, middle, top = rungs(trials(*rows))
    assert low.pairs == middle.pairs == 5
    assert (low.correlation, middle.correlation) == pytest.approx((-1, 1))
    assert top.evaluations == 0
    assert rung_table(trials(*rows[:10]))[1:] == [
        ["1", "5", "5", "1.7", "-1.00 of 5"],
        ["3", "5", "5", "3.3", ""],
    ]


def test_the_full_budget_is_that_of_the_ladder() -> None:
    found = trials((1, 1.0, None, OK), (3, 1.0, 0, OK))
    found.header = Header("f", 0, "", {}, 0.0, ladder=(1, 3, 9))
    assert [rung.spent for rung in rungs(found)] == pytest.approx([1 / 9, 2 / 9])


def test_without_budgets_there_is_nothing_to_show() -> None:
    plain = trials((1, 1.0, None, OK), (1, 2.0, None, OK))
    assert rungs(plain) == []
    assert len(rung_table(plain)) == 1
    with pytest.raises(InvalidArgument, match="all trials have the same budget"):
        plots.rungs(plain)
    failed = trials((1, None, None, Status.FAIL), (3, None, None, Status.FAIL))
    with pytest.raises(InvalidArgument, match="none of 2 trials has a finite loss"):
        plots.rungs(failed)


def test_each_configuration_has_a_line() -> None:
    found = curves(LADDER)
    assert [budget.tolist() for budget in found.budget] == [[1, 3], [1, 3, 9], [1, 3, 9], [1]]
    assert [loss.tolist() for loss in found.loss] == [[3, 2.5], [2, 1.5, 0.7], [1, 0.5, 0.6], [4]]
    assert found.explored == [False, False, True, False]
    assert found.best == 2
    assert found.rungs.tolist() == [1, 3, 9]
    figure = plots.rungs(LADDER)
    [ax] = figure.axes
    lines = [each for each in ax.collections if isinstance(each, LineCollection)]
    assert [each.get_label() for each in lines] == ["promoted (2)", "explored (1)"]
    [best] = [each for each in ax.lines if isinstance(each, Line2D)]
    assert np.asarray(best.get_ydata()).tolist() == [1, 0.5, 0.6]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "3", "9"]
    assert ax.get_xscale() == "log"


def test_a_timeline_shows_budgets_and_what_failed() -> None:
    [ax] = plots.timeline(LADDER).axes
    [bars] = [each for each in ax.collections if isinstance(each, PolyCollection)]
    colours = [tuple(colour) for colour in np.asarray(bars.get_facecolor())]
    low, middle, top = map(to_rgba, rung_colours(3))
    error = to_rgba(drawing.STATUS_COLOURS[Status.ERROR])
    assert colours[:4] == [low, low, low, error]
    assert colours[5:10] == [middle] * 3 + [top] * 2
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "budget 1 (5)",
        "budget 3 (3)",
        "budget 9 (2)",
        "error (1)",
        "cancelled (1)",
    ]


def test_pictures_of_a_real_run() -> None:
    def loss(config: dict[str, float], budget: int) -> float:
        return config["x"] ** 2 + 1 / budget

    space = {"x": hp.uniform("x", -1, 1)}
    study: Study = tune(loss, space, scheduler=ASHA(1, 9), max_trials=30, seed=1, progress=False)
    assert sum(rung.evaluations for rung in rungs(study)) == len(study.trials)
    total = study.history.spent.sum() / 9
    assert sum(rung.spent for rung in rungs(study)) == pytest.approx(total)
    assert rungs(study)[0].correlation > 0.5
    plots.rungs(study)
