"""Search spaces as scikit-learn's users write them, and as other libraries do, made sparktune's."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.space import hp
from sparktune.space.expression import Apply, Literal, as_apply, scope
from sparktune.space.space import Space

_BRANCH = "space"
"""The label of the choice between the dicts of a list."""


def space_of(given: Any) -> Space:
    """The space that a dict, a list of dicts, an expression or a `Space` describes.

    A parameter is an `hp.*` node; a list or array of options; a frozen distribution of scipy; a
    dimension of scikit-optimize; a distribution of Optuna; a group, that is a dict of such under a
    name of its own; or a constant.

    Raises:
        InvalidArgument, BadSearchSpace: it describes none.
    """
    if isinstance(given, Space):
        return given
    if isinstance(given, (list, tuple)):
        if not given or not all(isinstance(each, Mapping) for each in given):
            raise InvalidArgument(
                "a list as the space must hold dicts {parameter: options or distribution}, at "
                f"least one; got {given!r:.200}"
            )
        labels = _labels(given)
        branches = [
            {name: _parameter(labels[i][name], it) for name, it in each.items()}
            for i, each in enumerate(given)
        ]
        return Space(hp.choice(_BRANCH, branches) if len(branches) > 1 else branches[0])
    if isinstance(given, Mapping):
        return Space(_group(given))
    return Space(given)


def grid_points(grid: Any) -> Iterator[dict[str, int]]:
    """The points {label: index} of the space of a `param_grid`, in the order of scikit-learn's
    `ParameterGrid`: names sorted, the last one changes fastest.
    """
    dicts = [grid] if isinstance(grid, Mapping) else grid
    labels = _labels(dicts)
    for i, each in enumerate(dicts):
        names = sorted(each)
        branch = {_BRANCH: i} if len(dicts) > 1 else {}
        for indices in itertools.product(*(range(len(each[name])) for name in names)):
            yield branch | {labels[i][name]: k for name, k in zip(names, indices, strict=True)}


def check_grid(grid: Any) -> None:
    """Raises:
    InvalidArgument: it is no `param_grid`.
    """
    dicts = [grid] if isinstance(grid, Mapping) else grid
    if not isinstance(dicts, (list, tuple)) or not all(isinstance(d, Mapping) for d in dicts):
        raise InvalidArgument(
            "param_grid must be a dict {parameter: options}, or a list of such; got "
            f"{grid!r:.200}"
        )
    for name, options in ((name, options) for each in dicts for name, options in each.items()):
        if not isinstance(options, (Sequence, np.ndarray)) or isinstance(options, str):
            raise InvalidArgument(
                f"param_grid: the options of {name!r} must be a list or an array, got {options!r}; "
                "distributions are for space="
            )
        if np.ndim(options) > 1 or not len(options):
            raise InvalidArgument(f"param_grid: {name!r} needs a flat list of at least one option")


def _labels(dicts: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """A label for each parameter of each dict: its name, with a number where several have it."""
    often = Counter(name for each in dicts for name in each)
    return [
        {name: name if often[name] == 1 else f"{name} [{i}]" for name in each}
        for i, each in enumerate(dicts)
    ]


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _parameter(name, it) for name, it in group.items()}


def _parameter(label: str, given: Any) -> Any:
    """One entry of a dict of the space."""
    if isinstance(given, Apply):
        return given
    if isinstance(given, Mapping):
        return _group(given)
    if isinstance(given, (list, tuple, np.ndarray)):
        return hp.choice(label, [*map(_option, given)])
    if hasattr(given, "rvs") and hasattr(given, "dist"):
        return _of_scipy(label, given)
    if hasattr(given, "categories") or hasattr(given, "choices"):
        return _of_categories(label, given)
    if hasattr(given, "low") and hasattr(given, "high"):
        return _of_bounds(label, given)
    if hasattr(given, "rvs"):
        raise InvalidArgument(
            f"space: {label!r} has only a method rvs ({given!r}), so that nobody knows its range; "
            "use a frozen distribution of scipy.stats, or hp.*"
        )
    return Literal(given)


def _option(option: Any) -> Any:
    """An option, which is to come back as that very object, unless it holds parameters."""
    return option if _holds_parameters(option) else Literal(option)


def _holds_parameters(option: Any) -> bool:
    if isinstance(option, Mapping):
        return any(map(_holds_parameters, option.values()))
    if type(option) in (list, tuple):
        return any(map(_holds_parameters, option))
    return isinstance(option, Apply)


def _of_categories(label: str, given: Any) -> Apply:
    """A `Categorical` of scikit-optimize, or a `CategoricalDistribution` of Optuna."""
    options = given.choices if hasattr(given, "choices") else given.categories
    prior = getattr(given, "prior", None)
    if prior is None:
        return hp.choice(label, [*map(_option, options)])
    weights = np.asarray(prior, dtype=float)
    return hp.pchoice(label, list(zip(map(float, weights), map(_option, options), strict=True)))


def _of_bounds(label: str, given: Any) -> Apply:
    """A `Real` or `Integer` of scikit-optimize, or a `Float-` or `IntDistribution` of Optuna."""
    kind = type(given).__name__
    log = getattr(given, "log", None) is True or getattr(given, "prior", "") == "log-uniform"
    step = getattr(given, "step", None)
    if kind.startswith("Int"):
        return _integers(label, int(given.low), int(given.high), log, int(step or 1))
    low, high = float(given.low), float(given.high)
    if step is not None:
        n = math.floor((high - low) / step + 1e-9) + 1
        return as_apply(low + step * hp.randint(label, n))
    return _reals(label, low, high, log)


def _reals(label: str, low: float, high: float, log: bool) -> Apply:
    if not log:
        return hp.uniform(label, low, high)
    return hp.loguniform(label, math.log(low), math.log(high))


def _integers(label: str, low: int, high: int, log: bool, step: int = 1) -> Apply:
    """Integers from `low` to `high`, both included."""
    if step > 1:
        return as_apply(low + step * hp.randint(label, (high - low) // step + 1))
    if not log:
        return hp.randint(label, low, high + 1)
    edges = math.log(low - 0.5), math.log(high + 0.5)
    whole = scope.int(hp.qloguniform(label, *edges, 1))
    return scope.min(as_apply([scope.max(as_apply([whole, low])), high]))


def _of_scipy(label: str, frozen: Any) -> Any:
    """A frozen distribution of scipy: as one of `hp` where there is one, otherwise by its quantiles
    at a uniform number, which is what the records hold then.
    """
    name = frozen.dist.name
    loc, scale, shape = _moved(frozen)
    if name == "uniform":
        return hp.uniform(label, loc, loc + scale)
    if name in ("loguniform", "reciprocal") and loc == 0:
        low, high = shape
        return hp.loguniform(label, math.log(low * scale), math.log(high * scale))
    if name == "randint":
        low, high = shape
        return hp.randint(label, int(low + loc), int(high + loc))
    if name == "norm":
        return hp.normal(label, loc, scale)
    if name == "lognorm" and loc == 0:
        return hp.lognormal(label, math.log(scale), shape[0])
    quantile = scope.call_method(frozen, "ppf", hp.uniform(label, 0.0, 1.0))
    return scope.call_method(quantile, "item")


def _moved(frozen: Any) -> tuple[float, float, tuple[float, ...]]:
    """loc, scale and the shapes of a frozen distribution."""
    if hasattr(frozen.dist, "pmf"):
        shapes, loc, _ = frozen.dist._parse_args(*frozen.args, **frozen.kwds)
        return float(loc), 1.0, tuple(map(float, shapes))
    shapes, loc, scale = frozen.dist._parse_args(*frozen.args, **frozen.kwds)
    return float(loc), float(scale), tuple(map(float, shapes))
