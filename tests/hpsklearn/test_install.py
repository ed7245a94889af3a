"""Programs that import hyperopt-sklearn by its name."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from sparktune.hpsklearn import install_as_hpsklearn
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


def test_a_program_runs_unchanged() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["sparktune.hpsklearn.estimator", "3", "True"]


def test_it_is_refused_where_hyperopt_sklearn_is_imported_already() -> None:
    program = (
        "import sys, types; sys.modules['hpsklearn'] = types.ModuleType('hpsklearn')\n"
        "from sparktune.hpsklearn import install_as_hpsklearn; install_as_hpsklearn()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "hpsklearn has been imported already" in done.stderr
