"""The columnar history."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from sparktune.history import CODES, STATUSES, History, View
from sparktune.trial import Status, Trial

ENDED = Trial(
    0, {"x": 0.5}, Status.OK, budget=0.25, loss=1.5, asked=10.0, started=11.0, finished=12.0
)
FIELDS = ("X", "loss", "status", "budget", "asked", "started", "finished")


def filled(n: int) -> History:
    """n ok trials whose row, loss and times are their number."""
    history = History(2)
    for i in range(n):
        trial = Trial(i, {}, Status.OK, loss=float(i), asked=float(i), finished=float(i))
        history.append(trial, np.array([i, -i], dtype=float))
    return history


def test_a_trial_is_a_row() -> None:
    history = History(2)
    assert history.append(ENDED, np.array([0.5, np.nan])) == 0
    view = history.view(now=20.0, begun=5.0)
    assert (len(history), len(view), view.now, view.begun) == (1, 1, 20.0, 5.0)
    np.testing.assert_array_equal(view.X, [[0.5, np.nan]])
    assert STATUSES[view.status[0]] is Status.OK
    assert (view.loss[0], view.budget[0]) == (1.5, 0.25)
    assert (view.asked[0], view.started[0], view.finished[0]) == (10, 11, 12)


def test_what_a_trial_does_not_have_is_nan() -> None:
    history = History(1)
    history.append(Trial(0, {"x": 0.5}), np.array([0.5]))
    view = history.view()
    assert np.isnan([view.loss[0], view.asked[0], view.started[0], view.finished[0]]).all()


def test_an_update_changes_all_but_the_point() -> None:
    history = filled(3)
    history.update(1, ENDED)
    view = history.view()
    assert view.loss.tolist() == [0.0, 1.5, 2.0]
    assert view.budget.tolist() == [1.0, 0.25, 1.0]
    assert view.X.tolist() == [[0, 0], [1, -1], [2, -2]]


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 1000])
def test_rows_survive_growth(n: int) -> None:
    view = filled(n).view()
    assert len(view) == n
    assert view.loss.tolist() == list(range(n))
    assert view.X.tolist() == [[i, -i] for i in range(n)]
    assert view.status.tolist() == [CODES[Status.OK]] * n


@pytest.mark.parametrize("field", FIELDS)
def test_a_view_is_read_only(field: str) -> None:
    column = getattr(filled(3).view(), field)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 0


def test_a_view_does_not_stop_the_history() -> None:
    history = filled(3)
    view = history.view()
    history.append(ENDED, np.array([1.0, 1.0]))
    assert (len(view), len(history.view())) == (3, 4)
    assert view.loss.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("loss", [-1.0, 5.0])
def test_a_pickled_history_keeps_its_views_up_to_date(loss: float) -> None:
    history = filled(3)
    history.append(Trial(3, {}, Status.RUNNING), np.array([1.0, 1.0]))
    history.view()
    copied: History = pickle.loads(pickle.dumps(history))
    for each in (history, copied):
        each.view()
        each.update(3, Trial(3, {}, Status.OK, loss=loss, finished=1.5))
        assert each.view().loss.tolist() == [0.0, 1.0, 2.0, loss]
        assert each.view().ends.row.tolist() == [0, 1, 3, 2]
        assert each.view().best == min(loss, 0.0)


def test_an_end_that_is_told_anew_moves() -> None:
    history = filled(3)
    history.view()
    history.update(0, Trial(0, {}, Status.OK, loss=7.0, finished=9.0))
    assert history.view().ends.row.tolist() == [1, 2, 0]
    history.update(1, Trial(1, {}, Status.RUNNING))
    assert history.view().ends.row.tolist() == [2, 0]
    assert history.view().best == 2.0


def test_masks_tell_pending_and_usable_trials() -> None:
    history = History(0)
    for i, status in enumerate(Status):
        history.append(Trial(i, {}, status), np.empty(0))
    view = history.view()
    assert [s for s, pending in zip(Status, view.pending, strict=True) if pending] == [
        Status.NEW,
        Status.RUNNING,
    ]
    assert [s for s, ok in zip(Status, view.ok, strict=True) if ok] == [Status.OK]


def test_the_best_loss_is_the_smallest_usable_one() -> None:
    history = filled(3)
    history.append(Trial(3, {}, Status.FAIL, loss=-5.0), np.zeros(2))
    history.append(Trial(4, {}, Status.OK, loss=-1.0), np.zeros(2))
    history.append(Trial(5, {}, Status.OK, loss=float("inf")), np.zeros(2))
    assert history.view().best == -1.0


def test_without_a_usable_loss_the_best_is_infinite() -> None:
    assert History(2).view().best == float("inf")


def test_a_view_of_trials_is_that_of_a_history_of_them() -> None:
    X = np.array([[0.5, np.nan], [1.0, 2.0]])
    trials = [ENDED, Trial(1, {}, Status.RUNNING, asked=11.0)]
    view, history = View.of(trials, X, now=20.0, begun=5.0), History(2)
    for trial, row in zip(trials, X, strict=True):
        history.append(trial, row)
    for field in FIELDS:
        expected = getattr(history.view(20.0, 5.0), field)
        np.testing.assert_array_equal(getattr(view, field), expected)
    assert (view.now, view.begun) == (20.0, 5.0)
    with pytest.raises(ValueError, match="shorter"):
        View.of(trials, X[:1])


def test_pending_trials_stand_behind_the_others() -> None:
    view = filled(3).view(9.0, 1.0).with_pending(np.array([[7.0, 8.0]]))
    assert len(view) == 4
    assert view.X[3].tolist() == [7.0, 8.0]
    assert view.pending.tolist() == [False, False, False, True]
    assert view.ok.tolist() == [True, True, True, False]
    assert np.isnan([getattr(view, name)[3] for name in ("loss", "asked", "finished")]).all()
    assert (view.best, view.ends.row.tolist(), view.now, view.begun) == (0.0, [0, 1, 2], 9.0, 1.0)
