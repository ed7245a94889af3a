"""Arrays of whole runs, from hand-made records."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparktune import Trials
from sparktune.errors import InvalidArgument
from sparktune.history import CODES
from sparktune.results import series
from sparktune.trial import Status, Trial

OK, FAIL, ERROR = Status.OK, Status.FAIL, Status.ERROR
NAN, INF = math.nan, math.inf
Made = Callable[..., Trials]


def test_columns_hold_ended_trials_by_id_and_nan_where_there_is_nothing(made: Made) -> None:
    rows = [
        (OK, 3.0, {"kind": 0, "x": 0.5}),
        (ERROR, None, {"kind": 1, "y": 7}),
        (Status.RUNNING, None, {"kind": 1, "y": 8}),
        (OK, INF, {"kind": 1, "y": 9}),
        (FAIL, 1.0, {"kind": 0, "x": 0.25}),
    ]
    found = series.columns(made(rows, labels=("kind", "never")))
    np.testing.assert_array_equal(found.id, [0, 1, 3, 4])
    np.testing.assert_array_equal(found.status, [CODES[s] for s in (OK, ERROR, OK, FAIL)])
    np.testing.assert_array_equal(found.loss, [3.0, NAN, NAN, NAN])
    assert list(found.values)[:2] == ["kind", "never"]
    np.testing.assert_array_equal(found.values["kind"], [0, 1, 1, 0])
    np.testing.assert_array_equal(found.values["never"], [NAN] * 4)
    np.testing.assert_array_equal(found.values["x"], [0.5, NAN, NAN, 0.25])
    np.testing.assert_array_equal(found.values["y"], [NAN, 7, 9, NAN])
    assert found.best == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there are no trials yet"),
        ([(Status.RUNNING, None, {})], "no trial has ended yet"),
        ([(ERROR, None, {}), (ERROR, None, {}), (OK, INF, {})], r"none of 3 .* \(1 ok, 2 error\)"),
    ],
)
def test_nothing_to_plot_is_said(made: Made, rows: Any, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        series.columns(made(rows))


def test_losses_may_be_missing_where_they_are_not_needed(made: Made) -> None:
    assert len(series.columns(made([(ERROR, None, {"x": 1.0})]), losses=False).id) == 1


def test_what_is_no_trials_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="given to fmin, got list"):
        series.columns([])  # type: ignore[arg-type]


def test_the_best_so_far_passes_over_trials_without_a_loss(made: Made) -> None:
    rows: list[tuple[Status, float | None, dict[str, Any]]] = [
        (s, loss, {}) for s, loss in [(FAIL, None), (OK, 5.0), (OK, -INF), (OK, 6.0), (OK, 2.0)]
    ]
    found = series.loss_history(made(rows))
    np.testing.assert_array_equal(found.loss, [NAN, 5.0, NAN, 6.0, 2.0])
    np.testing.assert_array_equal(found.best, [NAN, 5.0, 5.0, 5.0, 2.0])


@pytest.mark.parametrize(
    ("loss", "cut"),
    [
        ([1.0, 2.0, 3.0, NAN], 3.0),
        ([2.0] * 20, 2.0),
        ([0.0] * 10 + [1.0] * 10, 1.0),
        ([*np.linspace(0, 1, 99), 1e9], 0.5 * 89.1 / 49 + 1.5 * 0.5 * 89.1 / 49),  # 90 % quantile
        ([0.0] * 50 + [7.0], 7.0),
    ],
)
def test_an_axis_of_losses_is_cut_only_below_outliers(loss: list[float], cut: float) -> None:
    assert series.top(np.array(loss)) == pytest.approx(cut)


def study(made: Made, *losses: float | None) -> Trials:
    return made([(FAIL, None, {}) if loss is None else (OK, loss, {}) for loss in losses])


def test_convergence_is_median_and_quartiles_over_the_shortest_of_the_runs(made: Made) -> None:
    runs = [study(made, *each) for each in ((9, 1, 5), (7, 5, 3, 1), (None, 3, 2))]
    found, other = series.convergence({"a": runs, "b": study(made, 4, None)})
    assert (found.name, found.runs, other.name, other.runs) == ("a", 3, "b", 1)
    np.testing.assert_array_equal(found.median, [9, 3, 2])
    np.testing.assert_array_equal(found.low, [8, 2, 1.5])
    np.testing.assert_array_equal(found.high, [INF, 4, 2.5])
    np.testing.assert_array_equal(other.median, [4, 4])


def test_convergence_is_infinite_until_the_first_loss(made: Made) -> None:
    runs = [study(made, None, None, 2), study(made, None, 4, 3)]
    (found,) = series.convergence({"a": runs})
    np.testing.assert_array_equal(found.median, [INF, INF, 2.5])
    np.testing.assert_array_equal(found.low, [INF, INF, 2.25])


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "must be a dict"), ([], "must be a dict"), ({"a": []}, r"studies\['a'\] holds no runs")],
)
def test_convergence_says_what_it_wants(given: Any, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        series.convergence(given)


def timed(*rows: tuple[Status, float | None, float | None, float | None]) -> Trials:
    """Trials from (status, asked, started, finished)."""
    trials = Trials()
    for id, (status, asked, started, finished) in enumerate(rows):
        trials.records[id] = Trial(id, {}, status, asked=asked, started=started, finished=finished)
    return trials


def test_trials_go_to_the_lane_that_came_free_last() -> None:
    found = series.timeline(
        timed((OK, 99, 100, 110), (OK, 99, 100, 104), (OK, 99, 104, 111), (OK, 99, 112, 114))
    )
    np.testing.assert_array_equal(found.id, [1, 0, 2, 3])
    np.testing.assert_array_equal(found.lane, [0, 1, 0, 0])
    np.testing.assert_array_equal(found.begin, [0, 0, 4, 12])
    np.testing.assert_array_equal(found.end, [4, 10, 11, 14])
    assert found.lanes == 2
    assert found.busy == pytest.approx((4 + 10 + 7 + 2) / 28)


def test_a_trial_of_unknown_begin_starts_when_its_lane_comes_free() -> None:
    rows = [(OK, 0, 0, 5), (OK, 0, 0, 8), (Status.CRASHED, 1, None, 9), (OK, 2, 8, 10)]
    found = series.timeline(timed(*rows))
    np.testing.assert_array_equal(found.id, [0, 1, 2, 3])
    np.testing.assert_array_equal(found.lane, [0, 1, 0, 1])
    np.testing.assert_array_equal(found.begin, [0, 0, 5, 8])
    assert found.lanes == 2
    np.testing.assert_array_equal(found.status, [CODES[row[0]] for row in rows])


def test_trials_that_never_got_a_slot_are_left_out() -> None:
    waiting = (Status.CANCELLED, 1, None, 5)
    found = series.timeline(timed((OK, 0, 0, 5), waiting, (Status.NEW, 0, None, None)))
    np.testing.assert_array_equal(found.id, [0])
    assert found.lanes == 1
    assert found.busy == 1.0


def test_a_running_trial_lasts_until_the_latest_time_known() -> None:
    found = series.timeline(timed((Status.RUNNING, 0, None, None), (OK, 1, 1, 7), (OK, 7, 7, 9)))
    np.testing.assert_array_equal(found.end, [9, 7, 9])
    np.testing.assert_array_equal(found.lane, [0, 1, 1])


def test_a_timeline_needs_times() -> None:
    with pytest.raises(InvalidArgument, match="no trial has a start and an end"):
        series.timeline(timed((OK, None, None, None)))
