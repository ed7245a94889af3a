"""The distributions of `scope`: functions that return random draws from a numpy generator.

A search never calls them, because samplers use the columns of a space (distributions). `sample`
calls them, and so do expressions that contain noise, such as
`scope.normal(0, 1, rng=numpy.random.default_rng(1))`.

    low, high    bounds; of the logarithm for the log distributions
    mu, sigma    mean and standard deviation; of the logarithm for the log distributions
    q            values are rounded to multiples of q
    rng, size    generator and shape of the draws, () for one number
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def _generator(rng: Any) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            "a distribution in a space needs a label: write hp.uniform('label', ...). To draw from "
            f"scope.uniform(...), give it rng=numpy.random.default_rng(...); got rng={rng!r}"
        )
    return rng


def uniform(low: float, high: float, rng: Any = None, size: Any = ()) -> Any:
    return _generator(rng).uniform(low, high, size)


def quniform(low: float, high: float, q: float, rng: Any = None, size: Any = ()) -> Any:
    return np.round(uniform(low, high, rng, size) / q) * q


def uniformint(low: float, high: float, q: float = 1.0, rng: Any = None, size: Any = ()) -> Any:
    return quniform(low, high, q, rng, size)


def loguniform(low: float, high: float, rng: Any = None, size: Any = ()) -> Any:
    return np.exp(uniform(low, high, rng, size))


def qloguniform(low: float, high: float, q: float, rng: Any = None, size: Any = ()) -> Any:
    return np.round(loguniform(low, high, rng, size) / q) * q


def normal(mu: float, sigma: float, rng: Any = None, size: Any = ()) -> Any:
    return _generator(rng).normal(mu, sigma, size)


def qnormal(mu: float, sigma: float, q: float, rng: Any = None, size: Any = ()) -> Any:
    return np.round(normal(mu, sigma, rng, size) / q) * q


def lognormal(mu: float, sigma: float, rng: Any = None, size: Any = ()) -> Any:
    return np.exp(normal(mu, sigma, rng, size))


def qlognormal(mu: float, sigma: float, q: float, rng: Any = None, size: Any = ()) -> Any:
    return np.round(lognormal(mu, sigma, rng, size) / q) * q


def randint(low: int, high: int | None = None, rng: Any = None, size: Any = ()) -> Any:
    return _generator(rng).integers(low, high, size)


def categorical(p: ArrayLike, upper: Any = None, rng: Any = None, size: Any = ()) -> Any:
    p = np.asarray(p, dtype=float)
    # Hyperopt calls multinomial too; Generator.choice would use other random numbers.
    return np.argmax(_generator(rng).multinomial(1, p / p.sum(), size), axis=-1)


DRAWS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(uniform, quniform, uniformint, loguniform, qloguniform),
        *(normal, qnormal, lognormal, qlognormal, randint, categorical),
    )
}


def rng_from_seed(seed: int | Sequence[int]) -> np.random.Generator:
    return np.random.default_rng(seed)
