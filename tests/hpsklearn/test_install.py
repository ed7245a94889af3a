"""Programs that import hyperopt-sklearn by its name."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, types
from sparktune.hpsklearn import install_as_hpsklearn
sys.modules["hpsklearn"] = types.ModuleType("hpsklearn")
try:
    install_as_hpsklearn()
except Exception as refused:
    print(refused)
del sys.modules["hpsklearn"]
install_as_hpsklearn()

import hpsklearn, hpsklearn.components
from hpsklearn import HyperoptEstimator, any_preprocessing, svc
from hpsklearn.estimator import hyperopt_estimator
from hpsklearn.objects import LagSelector
from hpsklearn.components.svm import svc as again
from hyperopt import tpe
from sklearn.datasets import load_iris

assert again is svc and hyperopt_estimator is HyperoptEstimator
X, y = load_iris(return_X_y=True)
model = HyperoptEstimator(classifier=svc("clf"), preprocessing=any_preprocessing("pre"),
                          algo=tpe.suggest, max_evals=3, seed=1)
model.fit(X, y)
print(type(model).__module__, len(model.trials.trials), model.score(X, y) > 0.5)
"""


def test_a_program_runs_unchanged_where_hyperopt_sklearn_was_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    refused, found = done.stdout.splitlines()
    assert "hpsklearn has been imported already" in refused
    assert found.split() == ["sparktune.hpsklearn.estimator", "3", "True"]
