"""`Optimizer`: ask and tell as scikit-optimize's users rely on it."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from sparktune.skopt import Optimizer, dump, load
from sparktune.skopt._hedge import Portfolio
from sparktune.skopt.benchmarks import branin
from sparktune.skopt.learning import (
    ExtraTreesRegressor,
    GradientBoostingQuantileRegressor,
    RandomForestRegressor,
)

BRANIN = [(-5.0, 10.0), (0.0, 15.0)]
MODELS = ["GP", "ET", "RF", "GBRT"]
# With fewer trees than by their names, as the number changes nothing of what most tests look at.
SMALL: dict[str, Any] = {
    "GP": "GP",
    "ET": ExtraTreesRegressor(10, min_samples_leaf=3),
    "RF": RandomForestRegressor(10, min_samples_leaf=3),
    "GBRT": GradientBoostingQuantileRegressor(
        base_estimator=GradientBoostingRegressor(n_estimators=10, loss="quantile")
    ),
}


def started(model: Any = "GP", n: int = 5, **options: Any) -> Optimizer:
    optimizer = Optimizer(BRANIN, model, n_initial_points=n, random_state=3, **options)
    for _ in range(n):
        x = optimizer.ask()
        optimizer.tell(x, branin(x))
    return optimizer


@pytest.mark.parametrize("model", MODELS)
def test_the_next_point_stays_until_something_is_told(model: str) -> None:
    optimizer = started(model)
    x = optimizer.ask()
    assert optimizer.ask() == x
    result = optimizer.tell(x, branin(x))
    assert optimizer.ask() != x
    assert len(result.models) == 2
    assert result.fun == min(result.func_vals)
    assert result.x_iters[int(np.argmin(result.func_vals))] == result.x


def test_initial_points_differ_before_they_are_told() -> None:
    for generator in ("random", "sobol", "halton", "hammersly", "lhs", "grid"):
        optimizer = Optimizer(BRANIN, initial_point_generator=generator, random_state=0)
        points = [tuple(optimizer.ask()) for _ in range(10)]
        assert len(set(points)) == 10, generator


@pytest.mark.parametrize("strategy", ["cl_min", "cl_mean", "cl_max"])
@pytest.mark.parametrize("model", MODELS)
def test_several_points_differ_and_stay(model: str, strategy: str) -> None:
    optimizer = started(SMALL[model])
    points = optimizer.ask(3, strategy)
    assert optimizer.ask(3, strategy) == points
    assert len({tuple(x) for x in points}) == 3
    optimizer.tell(points, [branin(x) for x in points])
    assert optimizer.ask(3, strategy) != points


@pytest.mark.parametrize("acq_func", ["EI", "gp_hedge"])
def test_what_is_believed_of_the_first_points_decides_the_others(acq_func: str) -> None:
    batches = [started(n=12, acq_func=acq_func).ask(3, s) for s in ("cl_min", "cl_mean", "cl_max")]
    firsts = {tuple(batch[0]) for batch in batches}
    rests = {tuple(map(tuple, batch[1:])) for batch in batches}
    assert (len(firsts), len(rests)) == (1, 3)


def test_a_good_lie_attracts_and_a_bad_one_repels() -> None:
    def nearest(strategy: str) -> float:
        optimizer = Optimizer([(0.0, 1.0)], n_initial_points=8, acq_func="EI", random_state=0)
        told = np.linspace(0, 1, 8)
        optimizer.tell([[x] for x in told], [float(np.cos(9 * x)) for x in told])
        first, *others = np.ravel(optimizer.ask(4, strategy))
        return float(np.abs(np.array(others) - first).mean())

    assert nearest("cl_min") < nearest("cl_max")


def test_lies_end_with_the_batch() -> None:
    optimizer, other = started(n=12), started(n=12)
    optimizer.ask(3, "cl_max")
    optimizer.tell([0.0, 1.0], 30.0)
    other.ask(3, "cl_min")
    other.tell([0.0, 1.0], 30.0)
    assert optimizer.sampler.lie is other.sampler.lie is None


@pytest.mark.parametrize("model", MODELS)
def test_the_portfolio_gains_what_a_later_model_expects(model: str) -> None:
    optimizer = started(SMALL[model])
    optimizer.ask()
    assert optimizer.gains_.tolist() == [0.0] * 3
    expected = np.zeros(3)
    for _ in range(3):
        tops = optimizer.sampler.portfolio.tops
        x = optimizer.ask()
        assert optimizer.bridge.row(x).tolist() in tops.tolist()
        optimizer.tell(x, branin(x))
        optimizer.ask()
        history = optimizer.study.history
        told = optimizer.sampler._guide(history, np.arange(len(optimizer.Xi)))
        expected -= told.mean(tops)
        np.testing.assert_allclose(optimizer.gains_, expected)
    assert model != "GP" or len(set(expected.round(6))) == 3
    assert optimizer.copy().gains_.tolist() == optimizer.gains_.tolist()


def test_gains_decide_what_is_chosen() -> None:
    portfolio = Portfolio(np.array([0.0, 1.0, -30.0]), np.empty((0, 2)), 5)
    rng = np.random.default_rng(0)
    counts = np.bincount([portfolio.chosen(1.0, rng) for _ in range(2000)], minlength=3)
    assert abs(counts[1] / counts[0] - np.e) < 0.68  # 5 standard deviations
    assert counts[2] == 0


def test_a_worker_gets_another_point_than_those_that_run() -> None:
    optimizer = started()
    running = [optimizer.ask()]
    for _ in range(4):
        x = [float(v) for v in np.random.default_rng(len(running)).uniform([-5, 0], [10, 15])]
        optimizer.tell(x, branin(x))
        running.append(optimizer.ask())
    assert len({tuple(x) for x in running}) == 5


def test_points_may_come_from_elsewhere() -> None:
    optimizer = Optimizer(BRANIN, n_initial_points=2, random_state=0)
    optimizer.tell([[0.0, 1.0], [1.0, 2.0]], [3.0, 4.0])
    assert len(optimizer.models) == 1
    assert len(optimizer.study.records) == 2
    assert optimizer.ask() == optimizer.ask()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_evaluation_that_failed_can_be_told(model: str, bad: float) -> None:
    optimizer = started(SMALL[model])
    x = optimizer.ask()
    result = optimizer.tell(x, bad)
    assert np.isinf(result.func_vals[-1])
    assert np.isfinite(result.fun)
    assert optimizer.ask() != x
    assert np.isfinite(result.models[-1].predict(result.space.transform([x]))).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["EI", "LCB", "PI", "gp_hedge", "MES", "EIps", "PIps"])
def test_every_acquisition_suggests(model: str, name: str) -> None:
    optimizer = Optimizer(BRANIN, SMALL[model], n_initial_points=3, acq_func=name, random_state=0)
    for _ in range(5):
        x = optimizer.ask()
        y = branin(x)
        result = optimizer.tell(x, (y, 1 + abs(x[0])) if name.endswith("ps") else y)
    assert len({tuple(x) for x in result.x_iters}) == 5
    if name.endswith("ps"):
        np.testing.assert_allclose(result.log_time, np.log([1 + abs(x[0]) for x in result.x_iters]))


def test_variance_reduction_suggests() -> None:
    optimizer = started(acq_func="PVRS")
    points = optimizer.ask(3)
    assert len({tuple(x) for x in points}) == 3


def test_short_evaluations_are_preferred_by_acquisitions_per_second() -> None:
    optimizer = Optimizer([(0.0, 1.0)], n_initial_points=6, acq_func="EIps", random_state=0)
    for x in np.linspace(0, 1, 6):
        optimizer.tell([float(x)], (float(np.cos(12 * x)), float(np.exp(8 * x))))
    assert optimizer.ask()[0] < 0.5  # the valley at 0.26, not that at 0.79


def test_a_seed_determines_the_points() -> None:
    def points(model: Any) -> list[Any]:
        optimizer = started(model)
        for _ in range(3):
            x = optimizer.ask()
            optimizer.tell(x, branin(x))
        return optimizer.Xi

    for model in [*MODELS, ExtraTreesRegressor()]:
        assert points(model) == points(model)


def test_a_copy_and_a_pickle_know_what_was_told(tmp_path: Any) -> None:
    optimizer = started()
    copied = optimizer.copy()
    assert (copied.Xi, copied.yi) == (optimizer.Xi, optimizer.yi)
    dump(optimizer, tmp_path / "optimizer.pkl")
    for other in (load(tmp_path / "optimizer.pkl"), pickle.loads(pickle.dumps(optimizer))):
        assert other.ask() == optimizer.ask()


@pytest.mark.parametrize("model", MODELS)
def test_a_constraint_holds_for_suggestions(model: str) -> None:
    optimizer = Optimizer(
        BRANIN, SMALL[model], n_initial_points=4, random_state=0,
        initial_point_generator="sobol", space_constraint=lambda x: x[0] + x[1] < 3,
    )  # fmt: skip
    for _ in range(7):
        x = optimizer.ask()
        assert x[0] + x[1] < 3
        optimizer.tell(x, branin(x))


@pytest.mark.parametrize("model", MODELS)
def test_a_finite_space_is_tried_whole_before_a_point_comes_again(model: str) -> None:
    optimizer = Optimizer([["a", "b"], (1, 3)], SMALL[model], n_initial_points=2, random_state=0)
    for k in range(6):
        optimizer.tell(optimizer.ask(), float(k))
    assert len({tuple(x) for x in optimizer.Xi}) == 6
    with pytest.warns(UserWarning, match="has been evaluated at"):
        optimizer.ask()


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda it: it.tell([11.0, 1.0], 0.0), "not within the bounds"),
        (lambda it: it.tell([1.0], 0.0), "Dimensions of point"),
        (lambda it: it.tell([[1.0, 1.0]], 0.0), "as many losses"),
        (lambda it: it.tell([1.0, 1.0], "good"), "return a scalar"),
        (lambda it: it.tell(1.0, 2.0), "a point must be a list"),
        (lambda it: it.tell([1.0, np.nan], 2.0), "not within the bounds"),
        (lambda it: it.ask(0), "n_points"),
        (lambda it: it.ask(2, "cl_maen"), "cl_mean"),
    ],
)
def test_wrong_calls_are_refused(call: Any, problem: str) -> None:
    optimizer = started()
    with pytest.raises(ValueError, match=problem):
        call(optimizer)
    assert len(optimizer.Xi) == 5


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"acq_func": "ei"}, "acq_func must be one of"),
        ({"base_estimator": "SVM"}, "'GBRT' or 'DUMMY'"),
        ({"base_estimator": 42}, "has to be a regressor"),
        ({"base_estimator": "ET", "acq_optimizer": "lbfgs"}, "acq_optimizer='sampling'"),
        ({"initial_point_generator": "hammersley"}, "'hammersly'"),
        ({"n_initial_points": -1}, "n_initial_points"),
        ({"n_initial_points": 3.5}, "n_initial_points"),
        ({"random_state": "seed"}, "random_state"),
        ({"acq_func_kwargs": {"kappa": "large"}}, "kappa must be a number"),
        ({"acq_func_kwargs": {"xi": None}}, "xi must be a number"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Optimizer(BRANIN, **options)


def test_arrays_are_told_as_lists() -> None:
    optimizer = Optimizer(BRANIN, n_initial_points=9, random_state=0)
    optimizer.tell(np.array([0.5, 1.0]), np.float64(3.0))
    optimizer.tell(np.array([[1.0, 2.0], [2.0, 3.0]]), np.array([4.0, 5.0]))
    result = optimizer.tell([np.array([3.0, 4.0])], [6.0])
    assert result.x_iters == [[0.5, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]
    assert {type(x) for point in result.x_iters for x in point} == {float}
    optimizer = Optimizer([[(1, 2), (3,)], ["a", "b"]], random_state=0)
    assert optimizer.tell([(1, 2), np.str_("a")], 1.0).x == [(1, 2), "a"]


def test_a_point_against_the_constraint_is_said_to_be() -> None:
    optimizer = Optimizer(BRANIN, space_constraint=lambda x: x[0] < x[1])
    with pytest.raises(ValueError, match="does not satisfy the constraint"):
        optimizer.tell([2.0, 1.0], 0.0)


def test_per_second_needs_seconds() -> None:
    optimizer = Optimizer(BRANIN, acq_func="EIps")
    with pytest.raises(TypeError, match="seconds"):
        optimizer.tell([0.0, 1.0], 2.0)


@pytest.mark.parametrize("model", ["GP", "ET", "DUMMY"])
def test_threads_get_points_of_their_own(model: str) -> None:
    optimizer = Optimizer(BRANIN, model, n_initial_points=4, random_state=0)
    workers = 4
    asked: list[list[list[float]]] = []
    together = Barrier(workers, timeout=300)

    def work(rounds: int) -> None:
        for _ in range(rounds):
            if together.wait() == 0:
                asked.append([])
            together.wait()
            x = optimizer.ask()
            assert optimizer.ask() == x or not optimizer.models
            asked[-1].append(x)
            together.wait()
            optimizer.tell(x, branin(x))

    with ThreadPoolExecutor(workers) as pool:
        for each in [pool.submit(work, 4) for _ in range(workers)]:
            each.result()
    assert all(len({tuple(x) for x in points}) == workers for points in asked)
    assert len(optimizer.Xi) == 4 * workers


def test_the_next_point_outlives_pickling_and_copying() -> None:
    optimizer = started()
    x = optimizer.ask()
    assert pickle.loads(pickle.dumps(optimizer)).ask() == x
    assert copy.deepcopy(optimizer).ask() == x
