"""`install_as_skopt`: lets programs and packages that import skopt use this package instead."""

from __future__ import annotations

from sparktune.standing_in import stand_in

DOORS = (
    *("acquisition", "benchmarks", "callbacks", "learning", "learning.forest", "learning.gbrt"),
    *("learning.gaussian_process", "learning.gaussian_process.gpr"),
    *("learning.gaussian_process.kernels", "optimizer", "optimizer.base", "optimizer.dummy"),
    *("optimizer.forest", "optimizer.gbrt", "optimizer.gp", "optimizer.optimizer"),
    *("sampler", "sampler.grid", "sampler.halton", "sampler.hammersly", "sampler.lhs"),
    *("sampler.base", "sampler.sobol", "searchcv", "space", "space.space", "space.transformers"),
    "utils",
)
"""The modules of scikit-optimize that this package provides, besides `plots`, which needs
matplotlib.
"""


def install_as_skopt() -> None:
    """Make `import skopt` return `sparktune.skopt`, for packages whose imports you cannot change.
    Call it before you import them.

    Raises:
        SparktuneError: scikit-optimize has been imported already.
    """
    stand_in("skopt", DOORS, optional="plots")
