"""The sampler behind the `algo` argument of `fmin`."""

from __future__ import annotations

import functools
from dataclasses import fields, is_dataclass, replace
from types import ModuleType
from typing import Any, cast

from sparktune.errors import InvalidArgument
from sparktune.samplers import anneal, grid, quasi, random, tpe
from sparktune.study import Sampler

ALGORITHMS: dict[str, Sampler] = {
    "tpe": tpe.suggest,
    "random": random.suggest,
    "rand": random.suggest,
    "anneal": anneal.suggest,
    "sobol": quasi.Quasi("sobol"),
    "halton": quasi.Quasi("halton"),
    "lhs": quasi.Quasi("lhs"),
    "grid": grid.suggest,
}


def resolve(algo: Any) -> Sampler:
    """The sampler that `algo` means: a sampler, its name, None for TPE, a function that names its
    sampler as an attribute `sampler`, or a `functools.partial` of one of them with options.

    Raises:
        InvalidArgument: it means none.
    """
    if isinstance(algo, functools.partial):
        options = algo.keywords if not algo.args else None
        return _with_options(resolve(algo.func), options, algo)
    if algo is None:
        return tpe.suggest
    named: Any = ALGORITHMS.get(algo) if isinstance(algo, str) else getattr(algo, "sampler", algo)
    if hasattr(named, "suggest") and not isinstance(named, (ModuleType, type)):
        return cast(Sampler, named)
    raise InvalidArgument(
        f"algo must be tpe.suggest, rand.suggest, one of {', '.join(map(repr, ALGORITHMS))}, "
        "functools.partial(tpe.suggest, gamma=...), or an object with suggest(space, "
        "history, n, rng); algorithms of Hyperopt's form (new_ids, domain, trials, seed) run with "
        f"sparktune.hyperopt.fmin; got {algo!r}"
    )


def _with_options(sampler: Any, options: dict[str, Any] | None, algo: Any) -> Sampler:
    """The sampler with other options. `verbose` is accepted for Hyperopt's sake."""
    if not is_dataclass(sampler):
        raise InvalidArgument(f"algo={algo!r}: {sampler!r} has no options")
    known = [field.name for field in fields(sampler)]
    given = {key: value for key, value in (options or {}).items() if key != "verbose"}
    if options is None or not given.keys() <= set(known):
        raise InvalidArgument(
            f"algo={algo!r} gives arguments that the algorithm does not have; its options, by "
            f"keyword, are: {', '.join(known) or 'none'}"
        )
    return cast(Sampler, replace(cast(Any, sampler), **given))
