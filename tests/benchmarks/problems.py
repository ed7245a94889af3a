"""The problems on which samplers are compared, in two parts that share no function and no table.

Choices in samplers are made on DEVELOPMENT alone; what is reported is measured on VALIDATION.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from sparktune.space import hp
from sparktune.space.space import Space
from tests.benchmarks import synthetic, tables
from tests.benchmarks.params import Params, Values, expression


class Instance(Protocol):
    """One instance of a problem, whose optimum lies elsewhere than that of another one."""

    @property
    def lowest(self) -> float:
        """The smallest true loss, the best known one where it is not known."""

    def true(self, values: Values) -> float:
        """The loss without noise."""

    def observed(self, values: Values, rng: np.random.Generator) -> float:
        """The loss as a trial returns it."""


@dataclass(frozen=True)
class Problem:
    """A search space and the losses over it; `make(seed)` gives the instance for a seed."""

    name: str
    kind: str
    describe: Callable[[], Params]
    make: Callable[[int], Instance]

    @cached_property
    def params(self) -> Params:
        """The search space."""
        return self.describe()

    @cached_property
    def space(self) -> Space:
        """The space as sparktune's columns."""
        return Space(expression(self.params, _Package))

    def typical(self, instance: Instance) -> float:
        """The median loss of 1000 random configurations."""
        rows = self.space.sample(np.random.default_rng(0), 1000)
        return float(np.median([instance.true(self.space.values(row)) for row in rows]))


class _Package:
    """What `expression` needs of sparktune."""

    hp = hp


def _synthetic(kind: str, name: str) -> Problem:
    function = synthetic.FUNCTIONS[name]
    return Problem(name, kind, lambda: function.params, function.instance)


def _own(kind: str, name: str, *, noisy: bool = False) -> Problem:
    table = tables.Own(name, noisy)
    suffix = "_noisy" if noisy else ""
    return Problem(name + suffix, kind, lambda: table.params, lambda seed: table)


def _packaged(kind: str, family: str, name: str) -> Problem:
    table = tables.Packaged(family, name)
    return Problem(f"{family}_{name}", kind, lambda: table.params, lambda seed: table)


DEVELOPMENT = (
    _synthetic("smooth", "ackley5"),
    _synthetic("smooth", "rosenbrock4"),
    _synthetic("rugged", "rastrigin5"),
    _synthetic("high-dimensional", "ellipsoid20"),
    _synthetic("mixed", "ackley_mixed6"),
    _synthetic("mixed", "rates6"),
    _synthetic("conditional", "nested_valleys"),
    _synthetic("noisy", "sphere6_noisy"),
    _own("conditional", "svm_digits"),
    _own("conditional", "cash_wine", noisy=True),
    _own("mixed", "extra_friedman"),
    _own("smooth", "svr_diabetes"),
    _packaged("tabular", "hpobench", "car"),
    _packaged("tabular", "hpobench", "segment"),
    _packaged("tabular", "hpobench", "phoneme"),
    _packaged("tabular", "hpobench", "blood_transfusion"),
    _packaged("tabular", "hpolib", "slice_localization"),
    _packaged("tabular", "hpolib", "parkinsons_telemonitoring"),
    _packaged("tabular", "nasbench201", "cifar100"),
)

VALIDATION = (
    _synthetic("smooth", "hartmann6"),
    _synthetic("smooth", "levy8"),
    _synthetic("smooth", "rosenbrock6"),
    _synthetic("rugged", "griewank5"),
    _synthetic("rugged", "michalewicz5"),
    _synthetic("high-dimensional", "branin20"),
    _synthetic("high-dimensional", "styblinski15"),
    _synthetic("mixed", "levy_mixed8"),
    _synthetic("mixed", "schedule7"),
    _synthetic("conditional", "three_branins"),
    _synthetic("noisy", "hartmann6_noisy"),
    _own("conditional", "svm_breast"),
    _own("conditional", "cash_blobs"),
    _own("noisy", "boosting_friedman", noisy=True),
    _own("mixed", "extra_diabetes"),
    _own("mixed", "elastic_diabetes"),
    _packaged("tabular", "hpobench", "australian"),
    _packaged("tabular", "hpobench", "vehicle"),
    _packaged("tabular", "hpobench", "kc1"),
    _packaged("tabular", "hpobench", "credit_g"),
    _packaged("tabular", "hpolib", "naval_propulsion"),
    _packaged("tabular", "hpolib", "protein_structure"),
    _packaged("tabular", "nasbench201", "cifar10"),
    _packaged("tabular", "nasbench201", "imagenet"),
)

SPLITS: Mapping[str, tuple[Problem, ...]] = {"development": DEVELOPMENT, "validation": VALIDATION}
