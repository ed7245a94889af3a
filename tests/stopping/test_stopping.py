"""Stopping rules."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune import Trials, fmin, hp, tune
from sparktune.errors import InvalidArgument
from sparktune.history import History, View
from sparktune.space.space import Space
from sparktune.stopping import (
    LossThreshold,
    MaxEvals,
    Never,
    NoProgress,
    NoProgressFor,
    RemainingImprovement,
    Stopper,
    Timeout,
    no_progress_loss,
)
from sparktune.testing import history_of
from sparktune.trial import Status, Trial

NOTHING = Space({"x": 0})


def losses(*values: float | None, statuses: Sequence[Status] | None = None) -> View:
    """Trials with these losses, ended in this order at seconds 1, 2, ..."""
    return history_of(NOTHING, np.empty((len(values), 0)), values, statuses)


def at(now: float, begun: float = 0.0) -> View:
    """No trials, at this time."""
    return replace(losses(), now=now, begun=begun)


def stops_after(rule: Stopper, values: Sequence[float]) -> int | None:
    """The number of trials after which a rule first stops."""
    for n in range(len(values) + 1):
        if rule.stop(losses(*values[:n])):
            return n
    return None


def test_never_never_stops() -> None:
    assert Never().stop(losses(0.0)) is None
    assert Never().wake_at(at(5)) == inf


def test_a_timeout_counts_from_the_beginning_of_the_run() -> None:
    rule = Timeout(10)
    assert rule.stop(at(109.9, begun=100)) is None
    assert rule.stop(at(110, begun=100)) == "timeout"
    assert rule.wake_at(at(105, begun=100)) == 110


def test_a_loss_must_be_below_the_threshold() -> None:
    rule = LossThreshold(1.0)
    assert rule.stop(losses()) is None
    assert rule.stop(losses(3.0, 1.0)) is None
    assert rule.stop(losses(3.0, 0.99)) == "loss threshold"
    assert rule.stop(losses(0.5, statuses=[Status.FAIL])) is None
    assert rule.wake_at(at(5)) == inf


def test_a_number_of_trials_counts_ended_ones_but_not_cancelled_ones() -> None:
    rule = MaxEvals(3)
    ends = [Status.OK, Status.ERROR, Status.CANCELLED, Status.RUNNING, Status.NEW]
    assert rule.stop(losses(1.0, None, None, None, None, statuses=ends)) is None
    assert rule.stop(losses(1.0, None, 3.0, statuses=[*ends[:2], Status.FAIL])) == "max evals"
    assert rule.stop(losses(1.0, 1.0, 1.0, 1.0)) == "max evals"
    assert rule.wake_at(at(5)) == inf


def test_no_progress_for_a_time_counts_from_the_last_improvement() -> None:
    rule = NoProgressFor(10)
    ends = [Status.OK, Status.OK, Status.OK, Status.ERROR, Status.OK]
    history = losses(3.0, 2.0, 2.0, None, 9.0, statuses=ends)  # ended at 1, 2, 3, 4, 5
    assert rule.wake_at(replace(history, now=5.0)) == 12
    assert rule.stop(replace(history, now=11.9)) is None
    assert rule.stop(replace(history, now=12.0)) == "no progress in time"


@pytest.mark.parametrize("history", [losses(), losses(None, statuses=[Status.ERROR]), losses(1.0)])
def test_no_progress_for_a_time_counts_from_the_begin_at_the_earliest(history: View) -> None:
    begun = replace(history, begun=100.0)
    assert NoProgressFor(10).wake_at(begun) == 110
    assert NoProgressFor(10).stop(replace(begun, now=109.0)) is None
    assert NoProgressFor(10).stop(replace(begun, now=110.0)) == "no progress in time"


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        *((MaxEvals, (trials,)) for trials in (0, 2.5, None, True)),
        *((Timeout, (seconds,)) for seconds in (-1, "3", None, nan)),
        *((NoProgressFor, (seconds,)) for seconds in (0, -1, "3", None, nan)),
        *((LossThreshold, (threshold,)) for threshold in ("3", None, nan)),
        *((RemainingImprovement, arguments) for arguments in ((0,), (nan,), (1, 0), (1, 2.5))),
    ],
    ids=repr,
)
def test_arguments_out_of_range_are_refused(rule: Any, arguments: Any) -> None:
    with pytest.raises(InvalidArgument):
        rule(*arguments)


# NoProgress

DOWN_AND_FLAT = (5, 4, 3, 3, 3, 3, 3)
FLAT = (1, 1, 1, 1, 1)
SLOW = (10, 9.5, 9, 8.9, 8, 8, 8, 8)
NEGATIVE = (-1, -1.05, -1.2, -1.2, -1.2, -1.2)


@pytest.mark.parametrize(
    ("count", "percent", "values", "expected"),
    [
        # hyperopt 0.3.0, early_stop.no_progress_loss(count, percent)
        (1, 0, DOWN_AND_FLAT, 4),
        (1, 0, FLAT, 2),
        (1, 0, SLOW, 6),
        (1, 0, NEGATIVE, 4),
        (1, 10, DOWN_AND_FLAT, 4),
        (1, 10, SLOW, 2),
        (1, 10, NEGATIVE, 2),
        (2, 0, DOWN_AND_FLAT, 5),
        (2, 0, FLAT, 2),
        (2, 0, SLOW, 7),
        (2, 0, NEGATIVE, 5),
        (2, 10, SLOW, 2),
        (3, 0, DOWN_AND_FLAT, 6),
        (3, 0, FLAT, 3),
        (3, 0, SLOW, 8),
        (3, 10, SLOW, 3),
        (3, 10, NEGATIVE, 6),
        (9, 0, SLOW, None),
    ],
)
def test_no_progress_stops_when_hyperopts_does(
    count: int, percent: float, values: Sequence[float], expected: int | None
) -> None:
    assert stops_after(no_progress_loss(count, percent), values) == expected


def test_progress_is_counted_in_the_order_in_which_trials_end() -> None:
    rule = NoProgress(2)
    history = losses(1.0, 2.0, 3.0)
    assert rule.stop(history) == "no progress"
    assert rule.stop(replace(history, finished=np.array([3.0, 2.0, 1.0]))) is None


def test_failed_trials_are_no_progress_and_pending_ones_do_not_count() -> None:
    statuses = [Status.OK, Status.OK, Status.ERROR, Status.FAIL]
    assert NoProgress(2).stop(losses(2.0, 1.0, None, -9.0, statuses=statuses)) == "no progress"
    running = [Status.OK, Status.OK, Status.RUNNING, Status.NEW]
    assert NoProgress(2).stop(losses(2.0, 1.0, None, None, statuses=running)) is None


def test_after_failures_a_first_loss_is_progress() -> None:
    statuses = [Status.ERROR, Status.ERROR, Status.OK]
    assert NoProgress(3).stop(losses(None, None, 1.0, statuses=statuses)) is None
    assert NoProgress(2).stop(losses(inf, 5.0)) is None


@dataclass
class Told:
    """The losses and statuses of a user's trials."""

    given: list[float | None]
    given_statuses: list[str]

    def losses(self) -> list[float | None]:
        return self.given

    def statuses(self) -> list[str]:
        return self.given_statuses


@pytest.mark.parametrize(
    ("given", "statuses", "stop"),
    [
        ([], [], False),
        ([1.0], ["ok"], False),
        ([1.0, 1.0], ["ok", "ok"], True),
        ([1.0, 0.5], ["ok", "ok"], False),
        ([1.0, None], ["ok", "running"], False),
        ([1.0, None], ["ok", "new"], False),
        ([1.0, None], ["ok", "fail"], True),
        ([1.0, 0.5], ["ok", "fail"], True),
        ([nan, 5.0, 4.0], ["ok", "ok", "ok"], False),
        ([3.0, 2.0, nan], ["ok", "ok", "ok"], False),
        ([3.0, 2.0, nan, nan], ["ok", "ok", "ok", "ok"], True),
    ],
)
def test_no_progress_can_be_called_as_an_early_stop_function(
    given: list[float | None], statuses: list[str], stop: bool
) -> None:
    assert no_progress_loss(2)(Told(given, statuses)) == (stop, [])
    assert no_progress_loss(2)(Told(given, statuses), "state", "of others") == (stop, [])


@pytest.mark.parametrize("count", [0, -1, 2.5, True, "3", None], ids=repr)
def test_the_number_of_trials_without_progress_must_be_a_positive_integer(count: object) -> None:
    with pytest.raises(InvalidArgument, match=r"iteration_stop_count must be an integer >= 1"):
        no_progress_loss(count)  # type: ignore[arg-type]


# Combined


LOSS, TIME, NO = LossThreshold(1.0), Timeout(0.0), Never()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (LOSS | NO, "loss threshold"),
        (NO | LOSS, "loss threshold"),
        (NO | NO, None),
        (LOSS | TIME, "loss threshold"),
        (TIME | LOSS, "timeout"),
        (LOSS & TIME, "loss threshold and timeout"),
        (LOSS & NO, None),
        (NO & LOSS, None),
        ((NO | LOSS) & TIME, "loss threshold and timeout"),
        (NO | (LOSS & NO), None),
    ],
    ids=repr,
)
def test_rules_combine(rule: Stopper, reason: str | None) -> None:
    assert rule.stop(losses(0.0)) == reason


def test_either_rule_wakes_at_the_earlier_time() -> None:
    rule = Timeout(20) | Timeout(10) | NO
    assert rule.wake_at(at(0)) == 10


def test_both_rules_wake_at_the_earlier_time_that_is_still_to_come() -> None:
    rule = Timeout(20) & Timeout(10)
    assert [rule.wake_at(at(now)) for now in (0, 10, 15, 20)] == [10, 20, 20, inf]
    assert rule.stop(at(15)) is None
    assert rule.stop(at(20)) == "timeout and timeout"


# As early_stop_fn


@dataclass
class Documents:
    """Trials as Hyperopt has them."""

    trials: list[dict[str, Any]]

    def losses(self) -> list[float | None]:
        return [doc["result"].get("loss") for doc in self.trials]

    def statuses(self) -> list[str]:
        return [doc["result"]["status"] for doc in self.trials]


def document(
    loss: float | None, begun: float, seconds: float | None, status: str = "ok"
) -> dict[str, Any]:
    """A trial that began so many seconds ago, and took so many."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    start = now - timedelta(seconds=begun)
    end = None if seconds is None else start + timedelta(seconds=seconds)
    result = {"status": status} | ({} if loss is None else {"loss": loss})
    return {"result": result, "book_time": start, "refresh_time": end}


@pytest.mark.parametrize(
    ("rule", "stops"),
    [
        (MaxEvals(3), True),
        (MaxEvals(4), False),
        (LossThreshold(0.6), True),
        (LossThreshold(0.5), False),
        (Timeout(59), False),  # it began with the trial that ended last, half a minute ago
        (Timeout(29), True),
        (NoProgressFor(29), True),
        (NoProgressFor(31), False),
        (NoProgress(4), False),
        (NoProgress(3), True),
        (RemainingImprovement(0.1, 1), False),
        (RemainingImprovement(9.0, 1), True),
        (Timeout(29) & LossThreshold(0.6), True),
        (Timeout(59) & LossThreshold(0.6), False),
        (Timeout(59) | LossThreshold(0.6), True),
        (Never() | Never(), False),
    ],
    ids=repr,
)
def test_rules_are_early_stop_functions_of_documents(rule: Any, stops: bool) -> None:
    docs = [document(0.5, 60, 20), document(None, 35, 3, "fail"), document(0.9, 30, 10)]
    docs += [document(None, 1, None, "running"), document(None, 1, None, "new")]
    stop, _state = rule(Documents(docs))
    assert stop is stops


def test_an_early_stop_function_remembers_when_the_run_began() -> None:
    rule, docs = Timeout(50), [document(1.0, 30, 10)]
    stop, state = rule(Documents(docs))
    assert not stop
    assert rule(Documents([*docs, document(1.0, 60, 55)]), *state) == (False, state)
    assert rule(Documents(docs), state[0] - 30) == (True, [state[0] - 30])


def test_rules_stop_hyperopts_own_fmin() -> None:
    hyperopt = pytest.importorskip("hyperopt")
    trials = hyperopt.Trials()
    hyperopt.fmin(
        abs,
        hyperopt.hp.uniform("x", -1, 1),
        hyperopt.rand.suggest,
        50,
        trials=trials,
        early_stop_fn=MaxEvals(7) | Timeout(600),
        show_progressbar=False,
        rstate=np.random.default_rng(0),
    )
    assert len(trials) == 7


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (MaxEvals(7), "max evals"),
        (NoProgressFor(600) | MaxEvals(7), "max evals"),
        (NoProgressFor(0.05) & MaxEvals(7), "no progress in time and max evals"),
        (RemainingImprovement(9.0, 3), "little improvement expected"),
    ],
    ids=repr,
)
def test_rules_stop_fmin_and_say_why(rule: Stopper, reason: str) -> None:
    trials = Trials()
    fmin(
        lambda x: x**2,
        hp.uniform("x", -1, 1),
        "random",
        5000,
        trials=trials,
        seed=0,
        verbose=False,
        early_stop_fn=rule,
    )
    assert trials.stop_reason == reason
    assert 6 <= len(trials) < 5000


# The ends of trials, in order


@settings(max_examples=100)
@given(st.data())
def test_ends_that_are_kept_are_those_that_a_view_finds(data: Any) -> None:
    kept = History(0)
    times = st.one_of(st.none(), st.integers(0, 5).map(float))
    for _ in range(data.draw(st.integers(0, 90))):
        status = data.draw(st.sampled_from(list(Status)))
        loss = data.draw(st.floats(allow_nan=False)) if status is Status.OK else None
        finished = None if status.pending else data.draw(times)
        row = data.draw(st.integers(0, len(kept)))
        trial = Trial(row, {}, status, loss=loss, finished=finished)
        if row == len(kept):
            kept.append(trial, np.empty(0))
        else:
            kept.update(row, trial)
    view = kept.view()
    known, found = view.ends, replace(view, known_ends=None).ends
    assert known.finished.tolist() == found.finished.tolist()
    assert sorted(known.row.tolist()) == sorted(found.row.tolist())
    losses = np.where(view.ok, view.loss, np.inf)
    assert known.loss.tolist() == losses[known.row].tolist()
    assert view.best == min(losses.tolist(), default=np.inf)


@settings(max_examples=300)
@given(
    st.lists(st.integers(-4, 9).map(float), max_size=30),
    st.integers(1, 8),
    st.sampled_from([0.0, 10.0, 60.0]),
    st.one_of(st.none(), st.integers(-4, 9).map(float)),
)
def test_no_progress_counts_as_by_hand(
    losses: list[float], trials: int, percent: float, before: float | None
) -> None:
    best, since = before, 0
    for loss in losses:
        if best is None:
            best, since = loss, 1
        elif loss < best - abs(best) * percent / 100:
            best, since = loss, 0
        else:
            since += 1
    stops = since >= trials and len(losses) > (before is None)
    rule = NoProgress(trials, percent)
    assert rule._stalled(np.array(losses), before) == stops


def test_a_long_run_costs_a_trial_what_a_short_one_does() -> None:
    """Ten times as many trials: the rule looked at all of them each time, in Python."""
    rule, costs = NoProgress(50_000), []
    for n in (2_000, 20_000):
        kept = History(0)
        for i in range(n):
            kept.append(Trial(i, {}, Status.OK, loss=float(i), finished=float(i)), np.empty(0))
        view, spent = kept.view(), []
        for _ in range(20):
            begun = time.process_time()
            rule.stop(view)
            spent.append(time.process_time() - begun)
        costs.append(min(spent))
    assert costs[1] < 3 * costs[0] + 1e-4


@pytest.mark.parametrize("other", [3, None])
def test_only_rules_can_be_combined(other: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        MaxEvals(1) | other
    with pytest.raises(TypeError, match="unsupported operand"):
        MaxEvals(1) & other


@pytest.mark.parametrize(
    ("trials", "percent"), [(0, 0.0), (1.5, 0.0), ("5", 0.0), (5, -1), (5, "1")]
)
def test_progress_is_counted_in_trials_and_percent(trials: Any, percent: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"NoProgress: (trials|percent) must be"):
        NoProgress(trials, percent)


def test_a_rule_of_a_user_needs_nothing_but_stop() -> None:
    class Enough:
        def stop(self, history: View) -> str | None:
            return "enough" if len(history) >= 4 else None

    for stop in (Enough(), MaxEvals(9) | Enough(), Timeout(3600) & Enough() | Enough()):
        study = tune(lambda x: x, hp.uniform("x", 0, 1), stop=stop, progress=False)
        assert (len(study.trials), study.stop_reason) == (4, "enough")
