"""The names of scikit-optimize 0.10.2 at their places."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import sparktune.skopt

NAMES = {
    "": (
        "acquisition benchmarks callbacks learning optimizer sampler space gp_minimize "
        "forest_minimize gbrt_minimize dummy_minimize Optimizer BayesSearchCV Space dump load "
        "expected_minimum expected_minimum_random_sampling show_versions __version__"
    ),
    "acquisition": (
        "gaussian_acquisition_1D gaussian_ei gaussian_lcb gaussian_mes gaussian_pi gaussian_pvrs"
    ),
    "benchmarks": "bench1 bench1_with_time bench2 bench3 bench4 bench5 branin hart6",
    "callbacks": (
        "CheckpointSaver DeadlineStopper DeltaXStopper DeltaYStopper EarlyStopper "
        "HollowIterationsStopper StdStopper ThresholdStopper TimerCallback VerboseCallback"
    ),
    "learning": (
        "ExtraTreesRegressor GaussianProcessRegressor GradientBoostingQuantileRegressor "
        "RandomForestRegressor"
    ),
    "learning.gaussian_process.kernels": "ConstantKernel HammingKernel Matern RBF WhiteKernel",
    "optimizer": (
        "Optimizer base_minimize dummy_minimize forest_minimize gbrt_minimize gp_minimize"
    ),
    "optimizer.optimizer": "Optimizer",
    "plots": (
        "partial_dependence partial_dependence_1D partial_dependence_2D plot_convergence "
        "plot_evaluations plot_gaussian_process plot_histogram plot_objective plot_objective_2D "
        "plot_regret"
    ),
    "sampler": "Grid Halton Hammersly InitialPointGenerator Lhs Sobol",
    "sampler.hammersly": "Hammersly",
    "searchcv": "BayesSearchCV",
    "space": "Categorical Dimension Integer Real Space check_dimension",
    "space.space": "Categorical Dimension Integer Real Space check_dimension",
    "space.transformers": "CategoricalEncoder Identity LabelEncoder LogN Normalize Pipeline",
    "utils": (
        "check_dimension_names check_list_types check_x_in_space cook_estimator "
        "cook_initial_point_generator create_result dimensions_aslist dump eval_callbacks "
        "expected_minimum has_gradients load normalize_dimensions point_asdict point_aslist "
        "use_named_args"
    ),
}


@pytest.mark.parametrize("module", NAMES)
def test_the_names_are_there(module: str) -> None:
    found = import_module(f"sparktune.skopt.{module}".rstrip("."))
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


PROGRAM = """
import sys, types
from sparktune.skopt import install_as_skopt
sys.modules["skopt"] = types.ModuleType("skopt")
try:
    install_as_skopt()
except Exception as refused:
    print(refused)
del sys.modules["skopt"]

install_as_skopt()
import skopt
from skopt import gp_minimize, plots
from skopt.learning.gaussian_process.gpr import GaussianProcessRegressor
from skopt.sampler.hammersly import Hammersly
from skopt.space.space import Real
assert gp_minimize.__module__ == "sparktune.skopt.optimizer.gp"
assert skopt.plots is plots
install_as_skopt()
"""


def test_it_stands_in_for_scikit_optimize_where_that_was_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "skopt has been imported already" in done.stdout


def test_versions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    sparktune.skopt.show_versions()
    shown = capsys.readouterr().out
    for name in ("Platform", "Python", "CPU count", "sparktune", "scikit-learn", "numpy", "scipy"):
        assert f"{name}: " in shown
