"""The twelve ways to declare a parameter. Each returns a node to be put anywhere in a search space.

Every function takes a `label` (the parameter's name, unique in its space) first. Bounds are checked
here, so a mistake is reported on the line that makes it.
"""

from __future__ import annotations

import math
import operator
import sys
import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from sparktune.errors import BadSearchSpace
from sparktune.space.expression import PARAMETER, Apply, Literal, as_apply, scope

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

_LARGEST_INT = 2**53  # above it, neighbouring integers are the same float
_LARGEST_EXPONENT = math.log(sys.float_info.max)
_REACH = 9.0  # standard deviations: no sampler draws further from the mean (Numeric.ppf: 8.3)


def choice(label: str, options: Sequence[Any]) -> Apply:
    """One of `options`, each equally likely. An option may hold parameters of its own, active only
    if it is chosen.

    The objective receives the option, records hold its index.
    """
    return _switch(label, "hp.choice", _listed(label, options), None)


def pchoice(label: str, p_options: Sequence[tuple[float, Any]]) -> Apply:
    """One of the options of `[(probability, option), ...]`. Probabilities that do not sum to 1 are
    scaled, with a warning.
    """
    pairs = _listed(label, p_options)
    if not pairs or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        raise BadSearchSpace(
            f"hp.pchoice({_label(label)!r}): give a list of (probability, option) pairs, "
            f"at least one; got {p_options!r}"
        )
    p = [_number(label, "probability", pair[0]) for pair in pairs]
    total = sum(p)
    if min(p) < 0 or not 0 < total < math.inf:
        raise BadSearchSpace(
            f"hp.pchoice({label!r}): probabilities must be >= 0 and not all 0, with a finite sum, "
            f"got {p}"
        )
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        warnings.warn(
            f"hp.pchoice({label!r}): the probabilities sum to {total:g}, not 1; they are scaled",
            stacklevel=2,
        )
    return _switch(label, "hp.pchoice", [pair[1] for pair in pairs], [v / total for v in p])


def randint(label: str, low: int, high: int | None = None) -> Apply:
    """An integer of `[0, low)`, or with `high` of `[low, high)`; all equally likely."""
    given: tuple[Any, Any] = (0, low) if high is None else (low, high)
    first, end = (int(v) if isinstance(v, float) and v.is_integer() else v for v in given)
    for name, value in (("low", first), ("high", end)):
        if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
            raise BadSearchSpace(
                f"hp.randint({_label(label)!r}): {name} must be an integer, got {value!r}; "
                "for real numbers use hp.uniform"
            )
    first, end = operator.index(first), operator.index(end)
    if first >= end:
        raise BadSearchSpace(
            f"hp.randint({_label(label)!r}) has no value: it draws from [{first}, {end}), "
            "high is excluded; "
            "low should be less than high"
        )
    if max(abs(first), abs(end)) > _LARGEST_INT:
        raise BadSearchSpace(
            f"hp.randint({_label(label)!r}): integers beyond 2**53 are not supported"
        )
    return scope.int(_parameter(label, "randint", low=first, high=end))


def uniform(label: str, low: float, high: float) -> Apply:
    """A real number, uniform on [low, high]."""
    return _ranged(label, "uniform", low, high)


def quniform(label: str, low: float, high: float, q: float) -> Apply:
    """round(uniform(low, high) / q) * q, a float. Values are multiples of q; the ones at the ends
    of the range are less likely, and may lie up to q/2 outside of it.
    """
    return _ranged(label, "quniform", low, high, q=q)


def uniformint(label: str, low: float, high: float, q: float = 1.0) -> Apply:
    """round(uniform(low, high)) as an int, both ends included (each half as likely as the others).

    For equally likely integers use `randint(label, low, high + 1)`. `q` must be 1.
    """
    if q != 1:
        raise BadSearchSpace(
            f"hp.uniformint({_label(label)!r}): q must be 1, got {q!r}; "
            "for another step use scope.int(hp.quniform(label, low, high, q))"
        )
    return _ranged(label, "uniformint", low, high)


def loguniform(label: str, low: float, high: float) -> Apply:
    """exp(uniform(low, high)): the bounds are logarithms. For values from 0.001 to 10 write
    `loguniform(label, log(0.001), log(10))`.
    """
    return _ranged(label, "loguniform", low, high)


def qloguniform(label: str, low: float, high: float, q: float) -> Apply:
    """round(exp(uniform(low, high)) / q) * q, a float; the bounds are logarithms. May be 0."""
    return _ranged(label, "qloguniform", low, high, q=q)


def normal(label: str, mu: float, sigma: float) -> Apply:
    """A real number, normal with mean `mu` and standard deviation `sigma`; unbounded."""
    return _centred(label, "normal", mu, sigma)


def qnormal(label: str, mu: float, sigma: float, q: float) -> Apply:
    """round(normal(mu, sigma) / q) * q, a float."""
    return _centred(label, "qnormal", mu, sigma, q=q)


def lognormal(label: str, mu: float, sigma: float) -> Apply:
    """exp(normal(mu, sigma)): positive, with median exp(mu)."""
    return _centred(label, "lognormal", mu, sigma)


def qlognormal(label: str, mu: float, sigma: float, q: float) -> Apply:
    """round(exp(normal(mu, sigma)) / q) * q, a float; may be 0."""
    return _centred(label, "qlognormal", mu, sigma, q=q)


def _ranged(label: str, prior: str, low: float, high: float, q: float | None = None) -> Apply:
    low, high = _number(label, "low", low), _number(label, "high", high)
    if low >= high:
        raise BadSearchSpace(
            f"hp.{prior}({_label(label)!r}): low should be less than high, got low={low:g}, "
            f"high={high:g}"
        )
    if not sys.float_info.min <= high - low <= sys.float_info.max:
        raise BadSearchSpace(
            f"hp.{prior}({_label(label)!r}): the range from {low!r} to {high!r} is too "
            f"{'wide' if high - low > 1 else 'narrow'} for a float"
        )
    if "log" in prior and high > _LARGEST_EXPONENT:
        raise BadSearchSpace(
            f"hp.{prior}({_label(label)!r}): the bounds are logarithms, and exp({high:g}) is "
            f"infinite; did you mean low=log({low:g}), high=log({high:g})?"
        )
    node = _numeric(label, prior, q, low=low, high=high)
    _check_finite(f"hp.{prior}({_label(label)!r})", low, high, "log" in prior, q)
    return node


def _centred(label: str, prior: str, mu: float, sigma: float, q: float | None = None) -> Apply:
    mu, sigma = _number(label, "mu", mu), _number(label, "sigma", sigma)
    if sigma < sys.float_info.min:
        raise BadSearchSpace(f"hp.{prior}({_label(label)!r}): sigma must be > 0, got {sigma:g}")
    node = _numeric(label, prior, q, mu=mu, sigma=sigma)
    ends = mu - _REACH * sigma, mu + _REACH * sigma
    _check_finite(f"hp.{prior}({_label(label)!r})", *ends, "log" in prior, q)
    return node


def _check_finite(named: str, low: float, high: float, log: bool, q: float | None) -> None:
    """Refuse a prior whose latent values lie in [low, high], if its values may be infinite."""
    with np.errstate(all="ignore"):
        latent = np.array([low, high])
        values = np.exp(latent) if log else 2 * latent  # so that distances are finite, too
        rounded = values if q is None else np.round(values / q) * q
    if np.isfinite(rounded).all():
        return
    if not np.isfinite(values).all():
        if log:
            raise BadSearchSpace(
                f"{named} can be infinite: mu and sigma are those of the logarithm, and "
                f"mu + 9 sigma = {high:g}, whose exp is too large; take smaller ones"
            )
        raise BadSearchSpace(
            f"{named} can be infinite: it reaches from {low:g} to {high:g}; take a smaller range"
        )
    raise BadSearchSpace(f"{named} can be infinite: q={q!r} does not fit its range; change either")


def _numeric(label: str, prior: str, q: float | None, **params: float) -> Apply:
    if q is not None:
        params["q"] = _number(label, "q", q)
        if params["q"] <= 0:
            raise BadSearchSpace(f"hp.{prior}({_label(label)!r}): q must be > 0, got {q!r}")
    convert = scope.int if prior == "uniformint" else scope.float
    return convert(_parameter(label, prior, **params))


def _switch(label: str, function: str, options: list[Any], p: list[float] | None) -> Apply:
    if not options:
        raise BadSearchSpace(f"{function}({_label(label)!r}) needs at least one option")
    if p is None:
        index = _parameter(label, "randint", low=0, high=len(options))
    else:
        index = _parameter(label, "categorical", p=tuple(p))
    # randint makes an unordered index here, which only the switch around it tells: the space reads
    # it as categorical.
    return scope.apply("switch", index, *[as_apply(option) for option in options])


def _parameter(label: str, prior: str, **params: Any) -> Apply:
    distribution = Apply(prior, [Literal(value) for value in params.values()])
    return Apply(PARAMETER, [Literal(_label(label)), distribution], place=_caller())


def _label(label: Any) -> str:
    if isinstance(label, bytes):
        return label.decode()
    if not isinstance(label, str):
        raise TypeError(
            f"require string label: the first argument of hp.* names the parameter, got {label!r}"
        )
    return label


def _listed(label: str, options: Any) -> list[Any]:
    try:
        len(options)
        return list(options)
    except TypeError:
        raise TypeError(
            f"the options of {_label(label)!r} must be a list (or anything with a length), "
            f"got {options!r}"
        ) from None


def _number(label: str, name: str, value: Any) -> float:
    if isinstance(value, Apply):
        raise BadSearchSpace(
            f"{_label(label)!r}: {name} is another parameter; a parameter's own bounds must "
            "be numbers. "
            "Declare both over fixed ranges and combine them: low + hp.uniform(...) * width"
        )
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.number)):
        raise BadSearchSpace(f"{_label(label)!r}: {name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise BadSearchSpace(f"{_label(label)!r}: {name} must be finite, got {number}")
    return number


def _caller() -> str:
    """file:line of the first frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("sparktune."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
