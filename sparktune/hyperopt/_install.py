"""`install_as_hyperopt`: lets programs and packages that import hyperopt use this package."""

from __future__ import annotations

from sparktune.standing_in import stand_in

DOORS = (
    *("anneal", "atpe", "base", "early_stop", "exceptions", "fmin", "graph_viz", "hp", "ipy"),
    *("mix", "mongoexp", "plotting", "progress", "pyll", "pyll.base", "pyll.stochastic"),
    *("pyll_utils", "rand", "spark", "tpe", "utils"),
)
"""The modules of Hyperopt that this package provides; `sklearn`, too, if scikit-learn is there."""


def install_as_hyperopt() -> None:
    """Make `import hyperopt` return `sparktune.hyperopt`, for packages whose imports you cannot
    change. Call it before you import them.

    Raises:
        SparktuneError: Hyperopt has been imported already.
    """
    stand_in("hyperopt", DOORS, optional="sklearn")
