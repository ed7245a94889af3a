"""Every public name is at its place, with Hyperopt's arguments."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

import sparktune.hyperopt as standin
from sparktune.hyperopt._install import DOORS

NAMES = {
    "": "fmin space_eval partial Trials SparkTrials Domain Ctrl FMinIter trials_from_docs hp tpe "
    "rand anneal mix atpe base pyll pyll_utils progress spark exceptions STATUS_OK STATUS_FAIL "
    "STATUS_NEW STATUS_RUNNING STATUS_SUSPENDED STATUS_STRINGS JOB_STATES JOB_STATE_NEW "
    "JOB_STATE_RUNNING JOB_STATE_DONE JOB_STATE_ERROR fmin_pass_expr_memo_ctrl __version__",
    "hp": "choice pchoice randint uniform quniform uniformint loguniform qloguniform normal "
    "qnormal lognormal qlognormal",
    "base": "Trials Domain Ctrl trials_from_docs miscs_to_idxs_vals miscs_update_idxs_vals "
    "spec_from_misc JOB_STATE_CANCEL JOB_VALID_STATES TRIAL_KEYS TRIAL_MISC_KEYS InvalidTrial",
    "fmin": "fmin FMinIter space_eval generate_trial generate_trials_to_calculate partial "
    "fmin_pass_expr_memo_ctrl",
    "tpe": "suggest suggest_hyperopt",
    "rand": "suggest suggest_batch",
    "anneal": "suggest suggest_batch",
    "mix": "suggest",
    "atpe": "suggest",
    "early_stop": "no_progress_loss",
    "exceptions": "BadSearchSpace DuplicateLabel InvalidTrial InvalidResultStatus InvalidLoss "
    "AllTrialsFailed InvalidAnnotatedParameter",
    "plotting": "main_plot_history main_plot_histogram main_plot_vars main_plot_1D_attachment",
    "progress": "tqdm_progress_callback no_progress_callback default_callback",
    "pyll": "scope as_apply Apply Literal rec_eval clone dfs toposort base stochastic",
    "pyll.base": "scope as_apply Apply Literal rec_eval clone dfs toposort MissingArgument",
    "pyll.stochastic": "sample",
    "pyll_utils": "expr_to_config EQ Cond hp_choice hp_uniform",
    "spark": "SparkTrials",
    "graph_viz": "dot_hyperparameters",
    "sklearn": "HyperoptSearchCV",
    "mongoexp": "MongoTrials",
    "ipy": "IPythonTrials",
    "utils": "coarse_utcnow use_obj_for_literal_in_memo",
}
OURS = {"trial_timeout", "retries", "deterministic", "batch"}  # arguments beyond Hyperopt's


@pytest.mark.parametrize("module", NAMES)
def test_every_name_is_at_its_place(module: str) -> None:
    found = importlib.import_module(f"sparktune.hyperopt.{module}".rstrip("."))
    for name in NAMES[module].split():
        assert hasattr(found, name), name


def test_fmin_is_a_function_as_attribute_and_a_module_for_import() -> None:
    assert inspect.isfunction(standin.fmin)
    assert inspect.ismodule(sys.modules["sparktune.hyperopt.fmin"])


@pytest.mark.parametrize(
    "path",
    [
        *("fmin.fmin", "fmin.FMinIter", "fmin.space_eval", "fmin.generate_trials_to_calculate"),
        *("base.Trials", "base.Domain", "base.Ctrl", "base.trials_from_docs", "base.Trials.fmin"),
        *("base.Trials.new_trial_docs", "base.Trials.source_trial_docs", "base.Trials.view"),
        *("base.Trials.average_best_error", "base.Domain.evaluate", "base.Ctrl.inject_results"),
        *("spark.SparkTrials", "early_stop.no_progress_loss", "mix.suggest"),
        *("pyll.base.rec_eval", "plotting.main_plot_history", "plotting.main_plot_histogram"),
        *("plotting.main_plot_vars", "plotting.main_plot_1D_attachment"),
        *("base.miscs_to_idxs_vals", "base.miscs_update_idxs_vals"),
    ],
)
def test_arguments_have_hyperopts_names_order_and_defaults(path: str) -> None:
    ours, theirs = (_parameters(package, path) for package in ("sparktune.hyperopt", "hyperopt"))
    assert [each for each in ours if each[0] not in OURS] == theirs


def _parameters(package: str, path: str) -> list[tuple[str, object]]:
    pytest.importorskip("hyperopt")
    module, names = path, list[str]()
    while True:
        try:
            found: Any = importlib.import_module(f"{package}.{module}")
            break
        except ModuleNotFoundError:
            module, _, name = module.rpartition(".")
            names.insert(0, name)
    for name in names:
        found = getattr(found, name)
    parameters = inspect.signature(found).parameters.values()
    return [(each.name, each.default) for each in parameters if each.name != "preprocessing_fn"]


PROGRAM = """
import sys, types
import sparktune.hyperopt
print([n for n in ("pyspark", "sklearn", "matplotlib", "pandas", "networkx") if n in sys.modules])

sys.modules["hyperopt"] = types.ModuleType("hyperopt")
try:
    sparktune.hyperopt.install_as_hyperopt()
except Exception as refused:
    print(refused)
del sys.modules["hyperopt"]

sparktune.hyperopt.install_as_hyperopt()
import hyperopt, hyperopt.pyll.stochastic, hyperopt.sklearn
from hyperopt import fmin, hp, tpe, Trials
from hyperopt.base import Trials as Same
from hyperopt.fmin import generate_trials_to_calculate
assert hyperopt is sparktune.hyperopt and Trials is Same
best = fmin(lambda x: x * x, hp.uniform("x", -1, 1), tpe.suggest, 5, verbose=False)
assert -1 <= best["x"] <= 1
"""


def test_standing_in_for_hyperopt_covers_every_module_unless_that_was_imported() -> None:
    """And importing it loads neither Spark nor scikit-learn nor matplotlib."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    loaded, refused = ran.stdout.splitlines()
    assert loaded == "[]"
    assert "call install_as_hyperopt() before anything imports it" in refused


@pytest.mark.parametrize("name", ["mongoexp.MongoTrials", "ipy.IPythonTrials"])
def test_what_was_replaced_says_by_what(name: str) -> None:
    module, _, kind = name.partition(".")
    replaced = getattr(importlib.import_module(f"sparktune.hyperopt.{module}"), kind)
    with pytest.raises(NotImplementedError, match="SparkTrials"):
        replaced("mongo://localhost/db/jobs", exp_key="e")


def test_the_doors_are_all_listed() -> None:
    assert {name for name in NAMES if name} - {"sklearn"} == set(DOORS)
