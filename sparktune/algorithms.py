"""The sampler behind the `algo` argument of `fmin`."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.samplers import random, tpe
from sparktune.study import Sampler

ALGORITHMS: dict[str, Sampler] = {
    "tpe": tpe.suggest,
    "random": random.suggest,
    "rand": random.suggest,
}


def resolve(algo: Any) -> Sampler:
    """The sampler that `algo` means: a sampler, its name, None for TPE, or a `functools.partial` of
    one.

    Raises:
        InvalidArgument: it means none.
    """
    if isinstance(algo, str) and algo in ALGORITHMS:
        return ALGORITHMS[algo]
    if isinstance(algo, functools.partial) and hasattr(algo.func, "suggest"):
        algo = _called(algo)
    if algo is None:
        return tpe.suggest
    if hasattr(algo, "suggest") and not isinstance(algo, (ModuleType, type)):
        sampler: Sampler = algo
        return sampler
    raise InvalidArgument(
        f"algo must be tpe.suggest, rand.suggest, one of {', '.join(map(repr, ALGORITHMS))}, "
        "functools.partial(tpe.suggest, gamma=...), or an object with suggest(space, "
        "history, n, rng); "
        f"got {algo!r}"
    )


def _called(algo: functools.partial[Any]) -> Any:
    """The sampler with the options of a partial."""
    try:
        return algo()
    except TypeError as error:
        raise InvalidArgument(
            f"algo={algo!r} gives arguments that the algorithm does not have: {error}; "
            "give options by keyword, as in functools.partial(tpe.suggest, gamma=0.3)"
        ) from error
