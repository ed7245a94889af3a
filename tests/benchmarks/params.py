"""Search spaces in neutral terms, and their translation for each tuner.

A configuration is a flat dict {name: number} of the active parameters; a choice is given by the
index of its option. Ordered integers are ordered for everybody, logarithmic ranges logarithmic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any, TypeAlias

Values: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class Real:
    """A real number in [low, high]."""

    name: str
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Whole:
    """An ordered integer from low to high, both included."""

    name: str
    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of `options` unordered options; option k brings the parameters `children[k]`."""

    name: str
    options: int
    children: Mapping[int, tuple[Param, ...]] = field(default_factory=dict)


Param: TypeAlias = Real | Whole | Choice
Params: TypeAlias = tuple[Param, ...]


def expression(params: Params, package: Any) -> dict[str, Any]:
    """The space for sparktune or hyperopt, which write it alike."""
    return {each.name: _node(each, package) for each in params}


def _node(param: Param, package: Any) -> Any:
    hp = package.hp
    if isinstance(param, Choice):
        options = [
            [k, expression(param.children.get(k, ()), package)] for k in range(param.options)
        ]
        return hp.choice(param.name, options)
    if isinstance(param, Whole) and param.log:
        ends = log(param.low - 0.5), log(param.high + 0.5)
        return hp.qloguniform(param.name, *ends, 1)
    if isinstance(param, Whole):
        return hp.uniformint(param.name, param.low, param.high)
    if param.log:
        return hp.loguniform(param.name, log(param.low), log(param.high))
    return hp.uniform(param.name, param.low, param.high)


def suggest(params: Params, trial: Any) -> dict[str, float]:
    """The values that an Optuna trial suggests, choices before what depends on them."""
    values: dict[str, float] = {}
    for param in params:
        if isinstance(param, Choice):
            k = trial.suggest_categorical(param.name, list(range(param.options)))
            values |= {param.name: k} | suggest(param.children.get(k, ()), trial)
        elif isinstance(param, Whole):
            values[param.name] = trial.suggest_int(param.name, param.low, param.high, log=param.log)
        else:
            values[param.name] = trial.suggest_float(
                param.name, param.low, param.high, log=param.log
            )
    return values
