"""hyperopt-sklearn's names, over sparktune: `import sparktune.hpsklearn as hpsklearn`.

A program written for hyperopt-sklearn runs unchanged once its imports say `sparktune.hpsklearn`.

    estimator             `HyperoptEstimator`
    components            `svc`, `any_classifier` and the others: nodes of search spaces
    objects               the transformers that hyperopt-sklearn brought along
    install_as_hpsklearn  makes `import hpsklearn` mean this, in packages you cannot change
"""

from typing import Any

try:
    from sparktune.hpsklearn import components
    from sparktune.hpsklearn._install import install_as_hpsklearn
    from sparktune.hpsklearn.estimator import HyperoptEstimator
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError(
        f"sparktune.hpsklearn needs scikit-learn 1.4 or newer ({error}): "
        "pip install 'sparktune[sklearn]'"
    ) from error

__all__ = ["HyperoptEstimator", "install_as_hpsklearn", *components.__all__]


def __getattr__(name: str) -> Any:
    return getattr(components, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
