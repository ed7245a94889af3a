"""The minimizers."""

from __future__ import annotations

import inspect
import json
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import AllTrialsFailed, Threads
from sparktune.skopt import (
    Optimizer,
    Space,
    dummy_minimize,
    dump,
    expected_minimum,
    expected_minimum_random_sampling,
    forest_minimize,
    gbrt_minimize,
    gp_minimize,
    load,
)
from sparktune.skopt.benchmarks import bench1, branin
from sparktune.skopt.callbacks import CheckpointSaver, DeltaYStopper, HollowIterationsStopper
from sparktune.skopt.space import Categorical, Integer, Real
from sparktune.skopt.utils import use_named_args

BRANIN = [(-5.0, 10.0), (0.0, 15.0)]
MINIMIZERS = [
    gp_minimize,
    partial(forest_minimize, base_estimator="ET"),
    partial(forest_minimize, base_estimator="RF"),
    gbrt_minimize,
]


def test_the_process_finds_the_minimum() -> None:
    result = gp_minimize(branin, BRANIN, n_calls=30, random_state=0)
    assert result.fun < 0.5  # the minimum is 0.398
    assert result.fun == branin(result.x)
    assert isinstance(result.space, Space)
    assert (len(result.x_iters), len(result.models)) == (30, 21)
    mean, sd = result.models[-1].predict(result.space.transform([result.x]), return_std=True)
    assert abs(mean[0] - result.fun) < 1
    assert sd[0] > 0


@pytest.mark.parametrize("minimize", MINIMIZERS)
def test_every_minimizer_gets_near(minimize: Any) -> None:
    result = minimize(bench1, [(-2.0, 2.0)], n_calls=20, random_state=1)
    assert result.fun < 0.05  # the minimum is 0


def test_the_tutorial() -> None:
    rate = Real(1e-6, 1e-2, "log-uniform", name="learning_rate")
    layers = Integer(1, 5, name="num_dense_layers")
    activation = Categorical(["relu", "sigmoid"], name="activation")

    @use_named_args([rate, layers, activation])
    def fitness(learning_rate: float, num_dense_layers: int, activation: str) -> float:
        assert isinstance(num_dense_layers, int)
        return abs(np.log10(learning_rate) + 3) + num_dense_layers + (activation == "sigmoid")

    result = gp_minimize(
        fitness, [rate, layers, activation], n_calls=15, acq_func="EI", x0=[1e-5, 1, "relu"],
        random_state=0,
    )  # fmt: skip
    assert result.x_iters[0] == [1e-5, 1, "relu"]
    assert result.fun < 2
    assert rate.transform_ == "identity"
    json.dumps(result.x_iters)


def test_points_and_losses_that_are_given() -> None:
    x0 = [[0.0, 1.0], [1.0, 2.0]]
    counted: list[int] = []
    result = gp_minimize(
        branin, BRANIN, n_calls=5, n_initial_points=2, x0=x0, random_state=0,
        callback=lambda res: counted.append(len(res.x_iters)),
    )  # fmt: skip
    assert result.x_iters[:2] == x0
    assert counted == [2, 3, 4, 5]
    result = gp_minimize(
        branin, BRANIN, n_calls=3, n_initial_points=2, x0=x0, y0=[5.0, 6.0], random_state=0
    )
    assert len(result.x_iters) == 5
    assert list(result.func_vals[:2]) == [5.0, 6.0]


def test_minimizers_and_the_optimizer_try_the_same_points() -> None:
    optimizer = Optimizer(BRANIN, random_state=4)
    expected = optimizer.run(branin, 12)
    assert gp_minimize(branin, BRANIN, n_calls=12, random_state=4).x_iters == expected.x_iters


def test_callbacks_end_the_search() -> None:
    stopped = gp_minimize(
        bench1, [(-2.0, 2.0)], n_calls=40, random_state=0,
        callback=[HollowIterationsStopper(3), DeltaYStopper(1e-9)],
    )  # fmt: skip
    assert len(stopped.x_iters) < 40


def test_the_error_of_a_callback_is_raised() -> None:
    def broken(res: Any) -> None:
        raise KeyError("callback")

    with pytest.raises(KeyError, match="callback"):
        dummy_minimize(bench1, [(-2.0, 2.0)], n_calls=4, callback=broken)


def test_the_error_of_a_function_is_raised() -> None:
    def broken(x: Any) -> float:
        raise ZeroDivisionError("objective")

    with pytest.raises(ZeroDivisionError, match="objective"):
        dummy_minimize(broken, [(-2.0, 2.0)], n_calls=4)


def test_a_checkpoint_continues(tmp_path: Path) -> None:
    saver = CheckpointSaver(tmp_path / "search.pkl", store_objective=False)
    gp_minimize(branin, BRANIN, n_calls=12, random_state=0, callback=saver)
    result = gp_minimize(
        branin, BRANIN, n_calls=3, n_initial_points=1, random_state=0, **saver.load()
    )
    assert len(result.x_iters) == 15


def test_a_result_is_written_and_read(tmp_path: Path) -> None:
    result = gp_minimize(branin, BRANIN, n_calls=12, random_state=0)
    dump(result, tmp_path / "result.pkl", store_objective=False)
    loaded = load(tmp_path / "result.pkl")
    assert loaded.x_iters == result.x_iters
    assert "func" not in loaded.specs["args"]
    assert "func" in result.specs["args"]
    assert expected_minimum(loaded, random_state=0) == expected_minimum(result, random_state=0)


def test_failures_are_recorded_where_evaluations_run_elsewhere() -> None:
    def often(x: list[float]) -> float:
        if x[0] > 5:
            raise ArithmeticError("too large")
        return float("nan") if x[1] > 12 else branin(x)

    result = gp_minimize(often, BRANIN, n_calls=20, random_state=0, on=Threads(2))
    assert len(result.x_iters) == 20
    failed = [x[0] > 5 or x[1] > 12 for x in result.x_iters]
    assert any(failed)
    assert np.isinf(result.func_vals).tolist() == failed
    assert np.isfinite(result.fun)


def test_no_loss_at_all_is_an_error() -> None:
    def never(x: list[float]) -> float:
        raise ArithmeticError("never")

    with pytest.raises(AllTrialsFailed, match="never"):
        dummy_minimize(never, BRANIN, n_calls=3, on=Threads(1))


def test_a_journal_continues_the_search(tmp_path: Path) -> None:
    seen: list[Any] = []

    def objective(x: list[float]) -> float:
        if len(seen) == 8:
            raise KeyboardInterrupt
        seen.append(x)
        return branin(x)

    search = partial(
        gp_minimize, objective, BRANIN, n_calls=14, n_initial_points=5, random_state=0,
        journal=tmp_path / "search.jsonl", x0=[0.0, 5.0],
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        search()
    counted: list[int] = []
    seen.append(None)  # so that it is not interrupted again
    found = search(callback=lambda res: counted.append(len(res.x_iters)))
    whole = gp_minimize(
        branin, BRANIN, n_calls=14, n_initial_points=5, random_state=0, x0=[0.0, 5.0]
    )
    assert found.x_iters[:9] == whole.x_iters[:9]  # that which was interrupted, too
    assert len(found.x_iters) == 14
    assert counted == [9, 10, 11, 12, 13, 14]


@pytest.mark.parametrize("at", [0, 1, 3])
def test_an_initial_point_that_was_interrupted_is_evaluated_again(tmp_path: Path, at: int) -> None:
    interrupted: list[Any] = []

    def objective(x: list[float]) -> float:
        if not interrupted and len(seen) == at:
            interrupted.append(x)
            raise KeyboardInterrupt
        seen.append(x)
        return branin(x)

    seen: list[Any] = []
    search = partial(
        gp_minimize, objective, BRANIN, n_calls=6, n_initial_points=5, random_state=0,
        journal=tmp_path / "search.jsonl", x0=[0.0, 5.0],
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        search()
    search()
    expected = gp_minimize(
        branin, BRANIN, n_calls=6, n_initial_points=5, random_state=0, x0=[0.0, 5.0]
    )
    assert seen[at] == interrupted[0]
    assert seen == expected.x_iters


def test_a_resumed_search_has_the_gains_of_one_that_was_not_interrupted(tmp_path: Path) -> None:
    def gains(n_calls: int, resumed: bool) -> Any:
        path = tmp_path / f"{resumed}.jsonl"
        search = partial(
            gp_minimize, branin, BRANIN, n_initial_points=5, random_state=0, journal=path
        )
        if resumed:
            search(n_calls=8)
        result = search(n_calls=n_calls)
        return result.x_iters, result.study.sampler.portfolio.gains

    (points, whole), (again, resumed) = gains(12, False), gains(12, True)
    assert points == again
    np.testing.assert_array_equal(whole, resumed)


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"n_calls": 5}, ValueError, "Expected `n_calls` >= 10, got 5"),
        ({"n_initial_points": 0}, ValueError, "or provide `x0`"),
        ({"x0": [[1.0]]}, RuntimeError, "inconsistent dimensions"),
        ({"x0": [[1.0, 99.0]]}, ValueError, "not within the bounds"),
        ({"x0": [[1.0, 2.0]], "y0": [1.0, 2.0]}, ValueError, "same length"),
        ({"y0": [1.0]}, ValueError, "`x0` cannot be `None`"),
        ({"callback": 3}, ValueError, "callable"),
        ({"acq_func": "best"}, ValueError, "acq_func"),
        ({"n_calls": 12.0}, ValueError, "n_calls must be an integer"),
        ({"noise": -1.0}, ValueError, "noise must be 'gaussian'"),
    ],
)
def test_wrong_arguments_are_refused(options: Any, error: type, problem: str) -> None:
    called: list[Any] = []
    with pytest.raises(error, match=problem):
        gp_minimize(lambda x: called.append(x) or 0.0, BRANIN, **options)
    assert not called


def test_there_must_be_a_dimension() -> None:
    with pytest.raises(ValueError, match="no dimensions"):
        gp_minimize(branin, [])


def test_losses_that_all_failed_are_said_to_have() -> None:
    with pytest.raises(AllTrialsFailed, match="NaN or infinity"):
        dummy_minimize(lambda x: float("nan"), BRANIN, n_calls=2)


def test_seconds_that_are_missing_are_said_to_be() -> None:
    with pytest.raises(TypeError, match="should return \\(loss, seconds\\)"):
        forest_minimize(lambda x: 1.0, BRANIN, acq_func="EIps", n_calls=10)


def test_a_function_must_return_a_number() -> None:
    with pytest.raises(ValueError, match="return a scalar"):
        dummy_minimize(lambda x: x, BRANIN, n_calls=2)


def test_minimizers_are_called_as_those_of_scikit_optimize() -> None:
    names = list(inspect.signature(forest_minimize).parameters)
    assert names[:8] == [
        "func", "dimensions", "base_estimator", "n_calls", "n_random_starts", "n_initial_points",
        "acq_func", "initial_point_generator",
    ]  # fmt: skip
    assert inspect.signature(gp_minimize).parameters["acq_func"].default == "gp_hedge"
    assert inspect.signature(gbrt_minimize).parameters["acq_func"].default == "LCB"
    assert "noise" not in inspect.signature(gbrt_minimize).parameters
    assert "Gaussian process" in (gp_minimize.__doc__ or "")
    assert pickle.loads(pickle.dumps(dummy_minimize)) is dummy_minimize
    with pytest.raises(TypeError, match="kapa"):
        gp_minimize(branin, BRANIN, kapa=2.0)


def test_the_former_name_of_initial_points_warns() -> None:
    with pytest.warns(DeprecationWarning, match="n_initial_points"):
        result = gp_minimize(branin, BRANIN, n_calls=3, n_random_starts=3, random_state=0)
    assert len(result.models) == 1


def test_the_minimum_of_a_model_needs_a_model() -> None:
    result = dummy_minimize(branin, BRANIN, n_calls=3, random_state=0)
    for search in (expected_minimum, expected_minimum_random_sampling):
        with pytest.raises(ValueError, match="no model"):
            search(result)
