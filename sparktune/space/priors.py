"""The table of priors: for each one its random draws, the check of its arguments, and its
distribution.

`hp` uses this table to create parameters, and `columns` to read them. The arguments of a prior are
the arguments of its draw. `named` is the name of the parameter in messages, such as
hp.uniform('x').
"""

from __future__ import annotations

import inspect
import math
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np

from sparktune.errors import BadSearchSpace
from sparktune.space import draws
from sparktune.space.distributions import LARGEST_EXPONENT, Categorical, Distribution, Numeric
from sparktune.space.nodes import Apply

_LARGEST_INT = 2**53  # above it, neighbouring integers are the same float
_REACH = 9.0  # most standard deviations from the mean that a sampler draws (Numeric.ppf: 8.3)


@dataclass(frozen=True, slots=True)
class Prior:
    """One kind of prior of a parameter.

    draw     the function of `scope` that returns random draws
    check    check(named, **arguments) -> arguments, as Python's numbers
    build    build(**arguments) -> distribution
    whole    whether values are ints
    """

    draw: Callable[..., Any]
    check: Callable[..., dict[str, Any]]
    build: Callable[..., Distribution]
    whole: bool = False

    def arguments(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """{name: argument} of a call of `draw`, without `rng` and `size`.

        Raises:
            TypeError: an argument is missing, or unknown.
        """
        given = inspect.signature(self.draw).bind(*args, **kwargs).arguments
        return {name: value for name, value in given.items() if name not in ("rng", "size")}


def check_number(named: str, name: str, value: Any) -> float:
    """Return `value` as a float.

    Raises:
        BadSearchSpace: `value` is not a finite number.
    """
    if isinstance(value, Apply):
        raise BadSearchSpace(
            f"{named}: {name} is another parameter; a parameter's own bounds must be numbers. "
            "Declare both over fixed ranges and combine them: low + hp.uniform(...) * width"
        )
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.number)):
        raise BadSearchSpace(f"{named}: {name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise BadSearchSpace(f"{named}: {name} must be finite, got {number}")
    return number


def _check_integers(named: str, low: Any, high: Any = None) -> dict[str, Any]:
    given: tuple[Any, Any] = (0, low) if high is None else (low, high)
    first, end = (int(v) if isinstance(v, float) and v.is_integer() else v for v in given)
    for name, value in (("low", first), ("high", end)):
        if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
            raise BadSearchSpace(
                f"{named}: {name} must be an integer, got {value!r}; for real numbers use "
                "hp.uniform"
            )
    first, end = operator.index(first), operator.index(end)
    if first >= end:
        raise BadSearchSpace(
            f"{named}: low should be less than high, which is excluded, got low={first}, high={end}"
        )
    if max(abs(first), abs(end)) > _LARGEST_INT:
        raise BadSearchSpace(f"{named}: integers beyond 2**53 are not supported")
    return {"low": first, "high": end}


def _check_probabilities(named: str, p: Sequence[Any], upper: Any = None) -> dict[str, Any]:
    numbers = tuple(check_number(named, "probability", each) for each in p)
    if not numbers or min(numbers) < 0 or not 0 < sum(numbers) < math.inf:
        raise BadSearchSpace(
            f"{named}: probabilities must be >= 0 and not all 0, with a finite sum, "
            f"got {[*numbers]}"
        )
    return {"p": numbers}


def _check_range(
    named: str, low: Any, high: Any, q: Any = None, log: bool = False
) -> dict[str, Any]:
    low, high = check_number(named, "low", low), check_number(named, "high", high)
    if low >= high:
        raise BadSearchSpace(
            f"{named}: low should be less than high, got low={low:g}, high={high:g}"
        )
    if not sys.float_info.min <= high - low <= sys.float_info.max:
        raise BadSearchSpace(
            f"{named}: the range from {low!r} to {high!r} is too "
            f"{'wide' if high - low > 1 else 'narrow'} for a float"
        )
    if log and high > LARGEST_EXPONENT:
        raise BadSearchSpace(
            f"{named}: the bounds are logarithms, and exp({high:g}) is infinite"
            + (f"; did you mean low=log({low:g}), high=log({high:g})?" if low > 0 else "")
        )
    step = _check_step(named, q)
    _check_finite(named, low, high, log, q)
    return {"low": low, "high": high, **step}


def _check_whole_range(named: str, low: Any, high: Any, q: Any = 1.0) -> dict[str, Any]:
    if q != 1:
        raise BadSearchSpace(
            f"{named}: q must be 1, got {q!r}; for another step use "
            "scope.int(hp.quniform(label, low, high, q))"
        )
    return _check_range(named, low, high)


def _check_normal(
    named: str, mu: Any, sigma: Any, q: Any = None, log: bool = False
) -> dict[str, Any]:
    mu, sigma = check_number(named, "mu", mu), check_number(named, "sigma", sigma)
    if sigma < sys.float_info.min:
        raise BadSearchSpace(f"{named}: sigma must be > 0, got {sigma:g}")
    step = _check_step(named, q)
    _check_finite(named, mu - _REACH * sigma, mu + _REACH * sigma, log, q)
    return {"mu": mu, "sigma": sigma, **step}


def _check_step(named: str, q: Any) -> dict[str, float]:
    if q is None:
        return {}
    step = check_number(named, "q", q)
    if step <= 0:
        raise BadSearchSpace(f"{named}: q must be > 0, got {q!r}")
    return {"q": step}


def _check_finite(named: str, low: float, high: float, log: bool, q: float | None) -> None:
    """Raise BadSearchSpace if a prior with latent values in [low, high] may be infinite."""
    with np.errstate(all="ignore"):
        latent = np.array([low, high])
        values = np.exp(latent) if log else 2 * latent  # twice, so that distances are finite too
        rounded = values if q is None else np.round(values / q) * q
    if np.isfinite(rounded).all():
        return
    if np.isfinite(values).all():
        raise BadSearchSpace(
            f"{named} can be infinite: q={q!r} does not fit its range; change either"
        )
    if log:
        raise BadSearchSpace(
            f"{named} can be infinite: mu and sigma are for the logarithm, and exp(mu + 9 sigma) = "
            f"exp({high:g}) is too large; use a smaller mu or sigma"
        )
    raise BadSearchSpace(
        f"{named} can be infinite: it extends from {low:g} to {high:g}; use a smaller range"
    )


def _normal(mu: float, sigma: float, q: float | None = None, log: bool = False) -> Numeric:
    return Numeric(-np.inf, np.inf, log, q, normal=(mu, sigma))


def _integers(low: int, high: int) -> Numeric:
    return Numeric(low - 0.5, high - 0.5, q=1.0, integer=True)


_CHECK_LOG_RANGE = partial(_check_range, log=True)
_CHECK_LOG_NORMAL = partial(_check_normal, log=True)
_LOG_RANGE = partial(Numeric, log=True)
_LOG_NORMAL = partial(_normal, log=True)
_WHOLE_RANGE = partial(Numeric, q=1.0, integer=True)

PRIORS: dict[str, Prior] = {
    "uniform": Prior(draws.uniform, _check_range, Numeric),
    "quniform": Prior(draws.quniform, _check_range, Numeric),
    "uniformint": Prior(draws.uniformint, _check_whole_range, _WHOLE_RANGE, whole=True),
    "loguniform": Prior(draws.loguniform, _CHECK_LOG_RANGE, _LOG_RANGE),
    "qloguniform": Prior(draws.qloguniform, _CHECK_LOG_RANGE, _LOG_RANGE),
    "normal": Prior(draws.normal, _check_normal, _normal),
    "qnormal": Prior(draws.qnormal, _check_normal, _normal),
    "lognormal": Prior(draws.lognormal, _CHECK_LOG_NORMAL, _LOG_NORMAL),
    "qlognormal": Prior(draws.qlognormal, _CHECK_LOG_NORMAL, _LOG_NORMAL),
    "randint": Prior(draws.randint, _check_integers, _integers, whole=True),
    "categorical": Prior(draws.categorical, _check_probabilities, Categorical, whole=True),
}
