"""The twelve functions that declare a parameter. Each returns a node for use in a search space.

The first argument of every function is `label`, the name of the parameter, which must be unique in
its space. Bounds are checked here, so that an error is raised at the line with the mistake.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from sparktune.errors import BadSearchSpace
from sparktune.space.expression import PARAMETER, Apply, Literal, as_apply, scope
from sparktune.space.priors import PRIORS

__all__ = [
    "choice",
    "lognormal",
    "loguniform",
    "normal",
    "pchoice",
    "qlognormal",
    "qloguniform",
    "qnormal",
    "quniform",
    "randint",
    "uniform",
    "uniformint",
]


def choice(label: str, options: Sequence[Any]) -> Apply:
    """One of `options`, with equal probabilities. An option may contain parameters, which are only
    active if it is chosen.

    The objective receives the option; records hold its index.
    """
    listed = _as_list(label, options)
    if not listed:
        raise BadSearchSpace(f"{_name_of('choice', label)} needs at least one option")
    # `columns` reads a randint that is the index of a switch as categorical.
    return _switch(_parameter(label, "randint", low=0, high=len(listed)), listed)


def pchoice(label: str, p_options: Sequence[tuple[float, Any]]) -> Apply:
    """One of the options of `[(probability, option), ...]`. If the probabilities do not sum to 1,
    they are scaled, with a warning.
    """
    pairs, named = _as_list(label, p_options), _name_of("pchoice", label)
    if not pairs or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        raise BadSearchSpace(
            f"{named}: the options must be a list of at least one (probability, option) pair, "
            f"got {p_options!r}"
        )
    p = PRIORS["categorical"].check(named, [pair[0] for pair in pairs])["p"]
    total = sum(p)
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        warnings.warn(
            f"{named}: the probabilities sum to {total:g}, not 1; they are scaled", stacklevel=2
        )
    index = _parameter(label, "categorical", p=tuple(each / total for each in p))
    return _switch(index, [pair[1] for pair in pairs])


def randint(label: str, low: int, high: int | None = None) -> Apply:
    """An integer from [0, low), or from [low, high) with `high`; all have equal probabilities."""
    return _numeric(label, "randint", low=low, high=high)


def uniform(label: str, low: float, high: float) -> Apply:
    """A real number, uniform on [low, high]."""
    return _numeric(label, "uniform", low=low, high=high)


def quniform(label: str, low: float, high: float, q: float) -> Apply:
    """round(uniform(low, high) / q) * q, a float. Values at the ends of the range are less likely
    than others, and may lie up to q/2 outside of it.
    """
    return _numeric(label, "quniform", low=low, high=high, q=q)


def uniformint(label: str, low: float, high: float, q: float = 1.0) -> Apply:
    """round(uniform(low, high)) as an int, including both ends, each half as likely as the others.
    For equal probabilities use `randint(label, low, high + 1)`. `q` must be 1.
    """
    return _numeric(label, "uniformint", low=low, high=high, q=q)


def loguniform(label: str, low: float, high: float) -> Apply:
    """exp(uniform(low, high)), where the bounds are logarithms. For values from 0.001 to 10 write
    `loguniform(label, log(0.001), log(10))`. Bounds such as 0.001 and 0.1 give a warning.
    """
    return _log_uniform(label, "loguniform", low=low, high=high)


def qloguniform(label: str, low: float, high: float, q: float) -> Apply:
    """round(exp(uniform(low, high)) / q) * q, a float that may be 0. The bounds are logarithms."""
    return _log_uniform(label, "qloguniform", low=low, high=high, q=q)


def normal(label: str, mu: float, sigma: float) -> Apply:
    """An unbounded real number, normal with mean `mu` and standard deviation `sigma`."""
    return _numeric(label, "normal", mu=mu, sigma=sigma)


def qnormal(label: str, mu: float, sigma: float, q: float) -> Apply:
    """round(normal(mu, sigma) / q) * q, a float."""
    return _numeric(label, "qnormal", mu=mu, sigma=sigma, q=q)


def lognormal(label: str, mu: float, sigma: float) -> Apply:
    """exp(normal(mu, sigma)), a positive number with median exp(mu)."""
    return _numeric(label, "lognormal", mu=mu, sigma=sigma)


def qlognormal(label: str, mu: float, sigma: float, q: float) -> Apply:
    """round(exp(normal(mu, sigma)) / q) * q, a float that may be 0."""
    return _numeric(label, "qlognormal", mu=mu, sigma=sigma, q=q)


def _numeric(label: str, prior: str, **given: Any) -> Apply:
    """The node of a numeric parameter; raises BadSearchSpace for invalid arguments."""
    arguments = PRIORS[prior].check(_name_of(prior, label), **given)
    convert = scope.int if PRIORS[prior].whole else scope.float
    return convert(_parameter(label, prior, **arguments))


def _log_uniform(label: str, prior: str, **given: Any) -> Apply:
    """The node of a parameter whose bounds are logarithms. Bounds that seem to be none give a
    warning.
    """
    node, low, high = _numeric(label, prior, **given), given["low"], given["high"]
    if 0 < 10 * low <= high <= 1:
        warnings.warn(
            f"{_name_of(prior, label)}: the bounds are logarithms, so values are from "
            f"{math.exp(low):g} to {math.exp(high):g}; for values from {low:g} to {high:g} give "
            f"log({low:g}) and log({high:g})",
            stacklevel=3,
        )
    return node


def _switch(index: Apply, options: list[Any]) -> Apply:
    return scope.apply("switch", index, *[as_apply(option) for option in options])


def _parameter(label: str, prior: str, **params: Any) -> Apply:
    distribution = Apply(prior, [Literal(value) for value in params.values()])
    return Apply(PARAMETER, [Literal(_label(label)), distribution], place=_caller())


def _name_of(function: str, label: Any) -> str:
    return f"hp.{function}({_label(label)!r})"


def _label(label: Any) -> str:
    if isinstance(label, bytes):
        return label.decode()
    if not isinstance(label, str):
        raise TypeError(
            "require string label: the first argument of hp.* is the name of the parameter, "
            f"got {label!r}"
        )
    return label


def _as_list(label: str, options: Any) -> list[Any]:
    try:
        len(options)
        return list(options)
    except TypeError:
        raise TypeError(
            f"the options of {_label(label)!r} must be a list (or anything with a length), "
            f"got {options!r}"
        ) from None


def _caller() -> str:
    """file:line of the nearest caller outside of this package."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("sparktune."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
