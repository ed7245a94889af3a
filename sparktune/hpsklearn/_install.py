"""Standing in for hyperopt-sklearn in programs and packages that import it by its name."""

from __future__ import annotations

from sparktune.hpsklearn.components import MODULES
from sparktune.hyperopt import install_as_hyperopt
from sparktune.standing_in import stand_in

DOORS = ("components", *(f"components.{name}" for name in MODULES), "estimator", "objects")


def install_as_hpsklearn() -> None:
    """Make `import hpsklearn` give `sparktune.hpsklearn`, and `import hyperopt` give
    `sparktune.hyperopt`, for programs and packages whose imports you cannot change. Call it before
    they are imported.

    Raises:
        SparktuneError: hyperopt-sklearn or Hyperopt itself has been imported.
    """
    stand_in("hpsklearn", DOORS)
    install_as_hyperopt()
