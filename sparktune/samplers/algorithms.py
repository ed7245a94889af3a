"""Algorithms by their names, and the sampler behind the `algo` argument of `fmin`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar, cast

from sparktune.errors import InvalidArgument
from sparktune.samplers import Sampler
from sparktune.samplers._options import with_options

ALGORITHMS = {
    "tpe": "sparktune.samplers.tpe:suggest",
    "auto": "sparktune.samplers.auto:suggest",
    "gp": "sparktune.samplers.gp:suggest",
    "forest": "sparktune.samplers.forest:suggest",
    "smac": "sparktune.samplers.forest:suggest",
    "random": "sparktune.samplers.random:suggest",
    "rand": "sparktune.samplers.random:suggest",
    "anneal": "sparktune.samplers.anneal:suggest",
    "sobol": "sparktune.samplers.quasi:suggest",
    "halton": "sparktune.samplers.quasi:halton",
    "lhs": "sparktune.samplers.quasi:lhs",
    "grid": "sparktune.samplers.grid:suggest",
}
"""{name for users: module:name}. A module is imported when its algorithm is used, so that it may
import slow packages at its top.
"""

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__sparktune_sampler__"


def form_of(sampler: Sampler) -> Callable[[F], F]:
    """Mark a function as a sampler in another form, such as Hyperopt's: `resolve` gives the sampler
    itself.
    """

    def marked(function: F) -> F:
        setattr(function, _MARK, sampler)
        return function

    return marked


def is_form(function: Any) -> bool:
    """Whether a function was marked by `form_of`."""
    return hasattr(function, _MARK)


def resolve(algo: Any, argument: str = "algo") -> Sampler:
    """The sampler for `algo`: a sampler, its name, None for TPE, a function marked by `form_of`, or
    a `functools.partial` of one of them with options.

    Args:
        algo: the value to resolve.
        argument: the name of the argument in messages.

    Raises:
        InvalidArgument: `algo` is none of these, or has options that its sampler lacks.
    """
    if isinstance(algo, functools.partial):
        if algo.args:
            raise InvalidArgument(f"{argument}: give options by keyword, got {algo!r}")
        return with_options(resolve(algo.func, argument), **algo.keywords)
    named: Any = algo
    if algo is None or isinstance(algo, str):
        named = _imported(algo or "tpe")
    named = getattr(named, _MARK, named)
    if hasattr(named, "suggest") and not isinstance(named, (ModuleType, type)):
        return cast(Sampler, named)
    raise InvalidArgument(
        f"{argument} must be tpe.suggest, rand.suggest, one of {', '.join(map(repr, ALGORITHMS))}, "
        "functools.partial(tpe.suggest, gamma=...), or an object with suggest(space, "
        "history, n, rng); algorithms of Hyperopt's form (new_ids, domain, trials, seed) run with "
        f"sparktune.hyperopt.fmin; got {algo!r}"
    )


def _imported(name: str) -> Any:
    """The sampler of a name; the name itself if there is none."""
    if name not in ALGORITHMS:
        return name
    module, _, attribute = ALGORITHMS[name].partition(":")
    return getattr(import_module(module), attribute)
