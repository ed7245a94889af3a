"""`fmin` with Hyperopt's habits, and running in steps."""

from __future__ import annotations

import pickle
import threading
from functools import partial as functools_partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import ThreadTrials
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.hyperopt import (
    Domain,
    FMinIter,
    Trials,
    anneal,
    atpe,
    early_stop,
    fmin,
    fmin_pass_expr_memo_ctrl,
    hp,
    mix,
    partial,
    pyll,
    rand,
    space_eval,
    tpe,
)
from sparktune.hyperopt.fmin import generate_trials_to_calculate
from sparktune.samplers.algorithms import is_form

LINE = hp.uniform("x", -5, 5)
quiet = functools_partial(fmin, verbose=False)


def quadratic(x: float) -> float:
    return (x - 3) ** 2


def test_points_that_wait_come_on_top_of_max_evals_until_they_are_refreshed() -> None:
    points = [{"x": 1.0}, {"x": 2.0}]
    waiting = generate_trials_to_calculate(points)
    quiet(quadratic, LINE, rand.suggest, 5, trials=waiting)
    assert len(waiting) == 7
    assert waiting.vals["x"][:2] == [1.0, 2.0]
    seen = generate_trials_to_calculate(points)
    seen.refresh()
    quiet(quadratic, LINE, rand.suggest, 5, trials=seen)
    assert len(seen) == 5


def test_points_to_evaluate_work_with_any_trials_and_beyond_the_bounds() -> None:
    for trials in (Trials(), ThreadTrials(2)):
        quiet(quadratic, LINE, rand.suggest, 3, trials=trials, points_to_evaluate=[{"x": 30.0}])
        assert len(trials) == 4
        assert trials.vals["x"][0] == 30.0


def test_points_that_are_there_already_are_not_evaluated_again() -> None:
    trials = Trials()
    for n in (3, 5):
        quiet(quadratic, LINE, rand.suggest, n, trials=trials, points_to_evaluate=[{"x": 1.0}])
    assert trials.vals["x"].count(1.0) == 1


@pytest.mark.parametrize("make", [Trials, lambda: ThreadTrials(2)])
@pytest.mark.parametrize(
    ("point", "blamed"),
    [
        ({"kind": "b", "x": 1.0}, r"points_to_evaluate\[1\]: 'kind' must be an integer, got 'b'"),
        ({"kind": 2, "x": 1.0}, r"points_to_evaluate\[1\]: 'kind' must be an index from 0 to 1"),
        ({"kind": 1}, r"points_to_evaluate\[1\]: .*lacks a value for 'x'"),
        ({"kind": 1, "x": None}, r"points_to_evaluate\[1\]: 'x' must be a number, got None"),
        ({"kind": 1, "X": 1.0, "x": 2.0}, r"points_to_evaluate\[1\]: unknown parameter 'X'"),
        (7, r"points_to_evaluate\[1\]: a point must be a dict"),
    ],
)
def test_a_point_that_does_not_fit_is_blamed_and_trials_stay(
    make: Any, point: Any, blamed: str
) -> None:
    space = {"kind": hp.choice("kind", ["a", "b"]), "x": LINE}
    trials, right = make(), {"kind": 0, "x": 2.0}
    search = functools_partial(quiet, _x_of, space, rand.suggest, 2, trials=trials)
    with pytest.raises(InvalidArgument, match=blamed):
        search(points_to_evaluate=[right, point])
    assert len(trials) == 0
    assert not trials.trials
    search(points_to_evaluate=[right, {"kind": 1, "x": 1.0}])
    assert len(trials) == 4


def _x_of(config: dict[str, Any]) -> float:
    return float(config["x"])


def _own(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
    return rand.suggest(new_ids, domain, trials, seed)


@pytest.mark.parametrize(
    "algo",
    [
        *(rand.suggest, tpe.suggest, tpe.suggest_hyperopt, anneal.suggest, atpe.suggest, _own),
        functools_partial(mix.suggest, p_suggest=[(0.5, rand.suggest), (0.5, _own)]),
    ],
)
@pytest.mark.parametrize("kept", ["file", "trials", "generator"])
def test_going_on_with_the_same_rstate_is_as_if_there_had_been_no_break(
    algo: Any, kept: str, tmp_path: Path
) -> None:
    whole = Trials()
    quiet(quadratic, LINE, algo, 30, trials=whole, rstate=np.random.default_rng(1))
    options: dict[str, Any] = {"trials": Trials()}
    if kept == "file":
        options = {"trials_save_file": str(tmp_path / "trials.pkl")}
    rstate = np.random.default_rng(1)
    for n in (3, 6, 25, 30):
        if kept != "generator" or is_form(algo):
            rstate = np.random.default_rng(1)
        quiet(quadratic, LINE, algo, n, rstate=rstate, **options)
    parts = options.get("trials")
    if parts is None:
        parts = pickle.loads((tmp_path / "trials.pkl").read_bytes())
    assert parts.vals == whole.vals
    assert len(set(parts.vals["x"])) == 30


def test_forgotten_trials_do_not_count_as_drawn() -> None:
    trials = Trials()
    quiet(quadratic, LINE, rand.suggest, 5, trials=trials, rstate=np.random.default_rng(1))
    first = trials.vals["x"]
    trials.delete_all()
    quiet(quadratic, LINE, rand.suggest, 5, trials=trials, rstate=np.random.default_rng(1))
    assert trials.vals["x"] == first


@pytest.mark.parametrize(
    "reading",
    [
        lambda trials: trials.trials[-1]["result"]["loss"],
        lambda trials: trials.results[-1]["loss"],
        lambda trials: min(trials.losses()),
        lambda trials: trials.losses()[-1] + 0,
    ],
)
def test_a_stop_that_reads_the_last_loss_works_or_is_told_what_to_read(reading: Any) -> None:
    def rule(trials: Any, *_: Any) -> tuple[bool, list[Any]]:
        return reading(trials) < -1, []

    def waiting(x: float) -> float:
        together.wait(120)
        return quadratic(x)

    quiet(quadratic, LINE, rand.suggest, 5, early_stop_fn=rule)
    together = threading.Barrier(2)
    with pytest.raises(InvalidArgument, match=r"trials\.best_trial\['result'\]\['loss'\]"):
        quiet(waiting, LINE, rand.suggest, 6, trials=ThreadTrials(2), early_stop_fn=rule)
    together.abort()  # whoever waits still


def test_nothing_to_return_is_none_or_an_error() -> None:
    def broken(x: float) -> float:
        raise ValueError("bad luck")

    options: dict[str, Any] = {"algo": rand.suggest, "max_evals": 2, "catch_eval_exceptions": True}
    assert quiet(broken, LINE, **options, return_argmin=False) is None
    with pytest.raises(AllTrialsFailed, match=r"(?s)There are no evaluation tasks.*bad luck"):
        quiet(broken, LINE, **options)
    with pytest.raises(AllTrialsFailed):
        quiet(lambda x: {"status": "fail"}, LINE, rand.suggest, 2, return_argmin=False)
    with pytest.raises(Exception, match="There are no evaluation tasks"):
        quiet(quadratic, LINE, rand.suggest, 0)


def test_trials_with_an_fmin_of_their_own_are_handed_the_call() -> None:
    class Logged(Trials):
        def fmin(self, fn: Any, space: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(kwargs["max_evals"])
            return fmin(fn, space, trials=self, allow_trials_fmin=False, **kwargs)

    calls: list[int] = []
    trials = Logged()
    quiet(quadratic, LINE, rand.suggest, 3, trials=trials)
    assert (calls, len(trials)) == ([3], 3)


def test_trials_run_themselves() -> None:
    trials = Trials()
    best = trials.fmin(
        quadratic, LINE, algo=rand.suggest, max_evals=5, rstate=np.random.default_rng(1)
    )
    assert best == trials.argmin
    assert len(trials) == 5


def test_the_best_configuration_comes_back_evaluated() -> None:
    space = {"kind": hp.choice("kind", ["a", "b"]), "n": hp.uniformint("n", 1, 3)}
    best = quiet(lambda p: p["n"], space, rand.suggest, 20, return_argmin=False)
    assert best["n"] == 1
    assert best["kind"] in ("a", "b")
    assert space_eval(space, {"kind": 1, "n": 2}) == {"kind": "b", "n": 2}


def test_an_objective_can_evaluate_its_space_itself() -> None:
    @fmin_pass_expr_memo_ctrl
    def objective(expr: Any, memo: Any, ctrl: Any, shift: float = 0.0) -> float:
        ctrl.info("trial %s", ctrl.current_trial["tid"])
        return quadratic(pyll.rec_eval(expr, memo=memo)) + shift

    trials = Trials()
    quiet(partial(objective, shift=100.0), LINE, rand.suggest, 3, trials=trials)
    assert trials.best_trial["result"]["loss"] >= 100.0


def test_a_stopping_function_keeps_its_state() -> None:
    def stop(trials: Any, count: int = 0) -> tuple[bool, list[int]]:
        return count + 1 >= 4, [count + 1]

    trials = Trials()
    quiet(quadratic, LINE, rand.suggest, 10, trials=trials, early_stop_fn=stop)
    assert len(trials) == 4


def test_a_bar_of_ones_own() -> None:
    class Bar:
        def __init__(self, initial: int, total: int) -> None:
            self.range, self.updates, self.postfix = (initial, total), 0, None

        def __enter__(self) -> Bar:
            bars.append(self)
            return self

        def __exit__(self, *args: object) -> None:
            self.closed = True

        def update(self, n: int) -> None:
            self.updates += n

    bars: list[Bar] = []
    fmin(quadratic, LINE, rand.suggest, 6, show_progressbar=Bar)
    (bar,) = bars
    assert (bar.range, bar.updates, bar.closed) == ((0, 6), 6, True)
    assert "best loss" in str(bar.postfix)


class TestRunningInSteps:
    def run(self, **options: Any) -> FMinIter:
        domain = Domain(quadratic, LINE)
        return FMinIter(tpe.suggest, domain, Trials(), np.random.default_rng(0), **options)

    def test_one_trial_at_a_time(self) -> None:
        run = self.run(max_evals=5)
        assert [len(trials) for trials in run] == [1, 2, 3, 4, 5]
        assert len(set(run.trials.vals["x"])) == 5

    def test_some_more_and_then_all(self) -> None:
        run = self.run(max_evals=9)
        run.run(2)
        run.run(3)
        assert len(run.trials) == 5
        assert len(run.exhaust().trials) == 9

    def test_what_waits_is_evaluated(self) -> None:
        run = self.run()
        run.trials.insert_trial_docs(rand.suggest([0, 1, 2], run.domain, run.trials, 0))
        run.serial_evaluate()
        assert [doc["state"] for doc in run.trials] == [2, 2, 2]

    def test_a_stopping_function_keeps_its_state_over_the_steps(self) -> None:
        run = self.run(max_evals=50, early_stop_fn=lambda t, n=0: (n + 1 >= 4, [n + 1]))
        assert len([None for _ in run]) == 4

    def test_the_time_of_all_steps_counts(self) -> None:
        run = self.run(max_evals=50, timeout=1000)
        run.run(1)
        run.start_time -= 1000
        run.run(1)
        assert len(run.trials) == 1

    def test_no_progress_ends_it(self) -> None:
        run = self.run(max_evals=50, early_stop_fn=early_stop.no_progress_loss(5))
        run.domain.fn = lambda x: 1.0
        run.exhaust()
        assert len(run.trials) < 10

    def test_exceptions_are_raised_unless_they_are_caught(self) -> None:
        run = self.run(max_evals=3)
        run.domain.fn = lambda x: 1 / 0
        with pytest.raises(ZeroDivisionError):
            run.exhaust()
        run.catch_eval_exceptions = True
        run.run(2)
        assert len(run.trials._dynamic_trials) == 3
