"""Synthetic problems whose optimum is placed anew for every seed, and never at the centre.

A function is written around an optimum of value 0 at z = 0; an instance maps configurations to z by
a shift (for Hartmann's function by reflections) that depends on the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.params import Choice, Param, Params, Real, Values, Whole

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Function:
    """`loss(values, shift)` over a space; `spread` is the standard deviation of its noise."""

    params: Params
    loss: Callable[[Values, Shift], float]
    spread: float = 0.0
    lowest: float = 0.0

    def instance(self, seed: int) -> Placed:
        """The function with its optimum placed for a seed."""
        return Placed(self, Shift(seed))


@dataclass(frozen=True)
class Placed:
    """An instance of a function."""

    function: Function
    shift: Shift

    @property
    def lowest(self) -> float:
        """The loss at the optimum."""
        return self.function.lowest

    def true(self, values: Values) -> float:
        """The loss without noise."""
        return float(self.function.loss(values, self.shift))

    def observed(self, values: Values, rng: np.random.Generator) -> float:
        """The loss with normal noise."""
        return self.true(values) + self.function.spread * float(rng.standard_normal())


@dataclass(frozen=True)
class Shift:
    """Where the optimum of an instance lies, parameter by parameter."""

    seed: int
    _known: dict[str, float] = field(default_factory=dict)

    def draw(self, name: str) -> float:
        """A number in (0, 1) that belongs to a name."""
        if name not in self._known:
            letters = [ord(letter) for letter in name]
            self._known[name] = float(np.random.default_rng([self.seed, *letters]).random())
        return self._known[name]

    def place(self, name: str) -> float:
        """The optimum's place in the unit interval: in [0.08, 0.4] or [0.6, 0.92]."""
        u = 2 * self.draw(name) - 1
        return 0.5 + float(np.sign(u)) * (0.1 + 0.32 * abs(u))

    def index(self, name: str, options: int) -> int:
        """The best option of a choice."""
        return int(self.draw(name) * options)


def _reals(n: int) -> Params:
    return tuple(Real(f"x{i}", 0.0, 1.0) for i in range(n))


def _z(values: Values, shift: Shift, n: int, width: float) -> Array:
    """z of x0 to x(n-1): how far from the optimum, the whole range being `width` wide."""
    return np.array([values[f"x{i}"] - shift.place(f"x{i}") for i in range(n)]) * width


def ackley(z: Array) -> float:
    """Many local minima on the way into a narrow funnel."""
    return float(
        20
        + np.e
        - 20 * np.exp(-0.2 * np.sqrt(np.mean(z**2)))
        - np.exp(np.mean(np.cos(2 * np.pi * z)))
    )


def rosenbrock(z: Array) -> float:
    """A curved valley, on a logarithmic scale."""
    x = z + 1
    return float(np.log1p(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)))


def rastrigin(z: Array) -> float:
    """A bowl with a regular grid of local minima."""
    return float(np.sum(z**2 - 10 * np.cos(2 * np.pi * z) + 10))


def levy(z: Array) -> float:
    """Waves along every axis."""
    w = 1 + z / 4
    waves = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)
    # The first wave and the last, so that the value at z = 0 is 0.
    ends = np.sin(np.pi * w[0]) ** 2 + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    return float(ends + np.sum(waves))


def griewank(z: Array) -> float:
    """A bowl with ripples that depend on all parameters at once."""
    return float(np.sum(z**2) / 40 - np.prod(np.cos(z / np.sqrt(np.arange(1, len(z) + 1)))) + 1)


def ellipsoid(z: Array) -> float:
    """A bowl whose axes differ in width by a factor of 10."""
    return float(np.sum(np.logspace(0, 2, len(z)) * z**2))


def styblinski(z: Array) -> float:
    """Two minima along every axis, of which one is better."""
    x = z - 2.903534
    return float(np.mean(x**4 - 16 * x**2 + 5 * x) / 2 + 39.16616570377142)


def branin(a: float, b: float) -> float:
    """Branin's function on the unit square, less its minimum."""
    x, y = 15 * a - 5, 15 * b
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return float(valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10 - 0.39788735772973816)


_HARTMANN_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14],
     [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)  # fmt: skip
_HARTMANN_P = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip


def _hartmann(values: Values, shift: Shift) -> float:
    """Hartmann's function of six parameters, each reflected or not."""
    x = np.array([values[f"x{i}"] for i in range(6)])
    x = np.where([shift.draw(f"x{i}") < 0.5 for i in range(6)], x, 1 - x)
    inner = np.sum(_HARTMANN_A * (x - _HARTMANN_P) ** 2, axis=1)
    return float(3.322368011415515 - np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-inner))


def _michalewicz(values: Values, shift: Shift) -> float:
    """Michalewicz's function (m = 2) of three real numbers and two integers, reflected or not."""
    x = np.array([values["x0"], values["n0"] / 30, values["x1"], values["n1"] / 30, values["x2"]])
    x = np.where([shift.draw(f"x{i}") < 0.5 for i in range(5)], x, 1 - x) * np.pi
    return float(np.sum(1 - np.sin(x) * np.sin(np.arange(1, 6) * x**2 / np.pi) ** 4))


def _simple(f: Callable[[Array], float], n: int, width: float, spread: float = 0.0) -> Function:
    return Function(_reals(n), lambda values, shift: f(_z(values, shift, n, width)), spread)


def _mixed(
    f: Callable[[Array], float], reals: int, choices: int, wholes: int, width: float
) -> Function:
    """`f` of real numbers, of integers from 0 to 20, and of choices among 4 options, of which one
    is best and the others are differently bad.
    """
    params: list[Param] = [*_reals(reals)]
    params += [Choice(f"c{i}", 4) for i in range(choices)]
    params += [Whole(f"n{i}", 0, 20) for i in range(wholes)]

    def loss(values: Values, shift: Shift) -> float:
        parts = [_z(values, shift, reals, width)]
        for i in range(choices):
            k = (int(values[f"c{i}"]) - shift.index(f"c{i}", 4)) % 4
            parts.append(np.array([(0.0, 0.08, 0.2, 0.3)[k] * width]))
        for i in range(wholes):
            best = round(20 * shift.place(f"n{i}"))
            parts.append(np.array([(values[f"n{i}"] - best) / 20 * width]))
        return f(np.concatenate(parts))

    return Function(tuple(params), loss)


def _far(values: Values, shift: Shift, name: str, low: float, high: float) -> float:
    """How far a logarithmic parameter is from its best value, in ranges."""
    place = np.log(values[name] / low) / np.log(high / low)
    return float(place - shift.place(name))


def _rates(values: Values, shift: Shift) -> float:
    """Like training a network: two rates that trade off, width, depth, drop-out, optimiser."""
    rate, decay = _far(values, shift, "rate", 1e-5, 1.0), _far(values, shift, "decay", 1e-8, 1e-1)
    width = _far(values, shift, "width", 4, 512)
    depth = (values["depth"] - 1 - round(7 * shift.place("depth"))) / 7
    drop = values["drop"] / 0.8 - shift.place("drop")
    kind = (int(values["optimiser"]) - shift.index("optimiser", 3)) % 3
    return float(
        25 * (rate + 0.4 * decay + 0.2 * (kind > 0)) ** 2 + 3 * decay**2
        + 2 * width**2 + abs(depth) + drop**2 + (0.0, 0.15, 0.6)[kind]
    )  # fmt: skip


def _schedule(values: Values, shift: Shift) -> float:
    """Like the training of trees: a rate whose best value falls with the number of trees."""
    rate = _far(values, shift, "rate", 1e-3, 1.0)
    trees = _far(values, shift, "trees", 10, 1000)
    leaves = _far(values, shift, "leaves", 2, 256)
    depth = (values["depth"] - 1 - round(15 * shift.place("depth"))) / 15
    rows, columns = values["rows"] - shift.place("rows"), values["columns"] - shift.place("columns")
    policy = (int(values["policy"]) - shift.index("policy", 3)) % 3
    shape = abs(leaves) if policy == 0 else abs(depth) + 0.1
    return float(
        20 * (rate + 0.7 * trees) ** 2 + max(trees, -0.5 * trees) + 2 * shape
        + rows**2 + 0.5 * columns**2 + (0.0, 0.2, 0.4)[policy]
    )  # fmt: skip


_RATES = (
    Real("rate", 1e-5, 1.0, log=True),
    Real("decay", 1e-8, 1e-1, log=True),
    Whole("width", 4, 512, log=True),
    Whole("depth", 1, 8),
    Real("drop", 0.0, 0.8),
    Choice("optimiser", 3),
)
_SCHEDULE = (
    Real("rate", 1e-3, 1.0, log=True),
    Whole("trees", 10, 1000, log=True),
    Whole("leaves", 2, 256, log=True),
    Whole("depth", 1, 16),
    Real("rows", 0.0, 1.0),
    Real("columns", 0.0, 1.0),
    Choice("policy", 3),
)


def _nested(values: Values, shift: Shift) -> float:
    """Four options with one to four parameters each and one that all share; two are good."""
    k = int(values["option"])
    rank = (k - shift.index("option", 4)) % 4
    z = np.array([values[f"o{k}_{i}"] - shift.place(f"o{k}_{i}") for i in range(k + 1)])
    return float(
        (0.0, 0.05, 0.5, 0.9)[rank]
        + 4 * np.mean(z**2)
        + (values["shared"] - shift.place("shared")) ** 2
    )


_NESTED = (
    Real("shared", 0.0, 1.0),
    Choice(
        "option",
        4,
        {k: tuple(Real(f"o{k}_{i}", 0.0, 1.0) for i in range(k + 1)) for k in range(4)},
    ),
)


def _three_branins(values: Values, shift: Shift) -> float:
    """Branin's function in three branches, one of them best, coupled by a shared parameter; one
    branch has a choice of its own.
    """
    k = int(values["branch"])
    rank = (k - shift.index("branch", 3)) % 3
    a, b = values[f"a{k}"], values[f"b{k}"]
    a = a if shift.draw(f"a{k}") < 0.5 else 1 - a
    coupled = 40 * (values["shared"] - shift.place("shared") - 0.2 * (b - 0.5) * (k == 2)) ** 2
    inner = 6.0 * (int(values.get("inner", 0)) != shift.index("inner", 3)) if k == 1 else 0.0
    return branin(a, b) + coupled + inner + (0.0, 3.0, 12.0)[rank]


_THREE_BRANINS = (
    Real("shared", 0.0, 1.0),
    Choice(
        "branch",
        3,
        {
            0: (Real("a0", 0.0, 1.0), Real("b0", 0.0, 1.0)),
            1: (Real("a1", 0.0, 1.0), Real("b1", 0.0, 1.0), Choice("inner", 3)),
            2: (Real("a2", 0.0, 1.0), Real("b2", 0.0, 1.0)),
        },
    ),
)


def _branin20(values: Values, shift: Shift) -> float:
    """Branin's function of two parameters among twenty, of which four more count a little."""
    order = np.argsort([shift.draw(f"x{i}") for i in range(20)])
    a, b, *rest = (values[f"x{i}"] for i in order[:6])
    little = sum((x - shift.place(f"r{i}")) ** 2 for i, x in enumerate(rest))
    return branin(a, b) + 5 * float(little)


FUNCTIONS = {
    "ackley5": _simple(ackley, 5, 30.0),
    "rosenbrock4": _simple(rosenbrock, 4, 4.0),
    "rastrigin5": _simple(rastrigin, 5, 5.0),
    "ellipsoid20": _simple(ellipsoid, 20, 5.0),
    "ackley_mixed6": _mixed(ackley, 3, 3, 0, 20.0),
    "rates6": Function(_RATES, _rates),
    "nested_valleys": Function(_NESTED, _nested),
    "sphere6_noisy": _simple(lambda z: float(np.sum(z**2)), 6, 1.0, spread=0.05),
    "hartmann6": Function(_reals(6), _hartmann),
    "levy8": _simple(levy, 8, 16.0),
    "rosenbrock6": _simple(rosenbrock, 6, 4.0),
    "griewank5": _simple(griewank, 5, 20.0),
    "michalewicz5": Function(
        (*_reals(3), Whole("n0", 0, 30), Whole("n1", 0, 30)),
        _michalewicz,
        lowest=0.3415601068395071,
    ),
    "branin20": Function(_reals(20), _branin20),
    "styblinski15": _simple(styblinski, 15, 10.0),
    "levy_mixed8": _mixed(levy, 4, 2, 2, 16.0),
    "schedule7": Function(_SCHEDULE, _schedule),
    "three_branins": Function(_THREE_BRANINS, _three_branins),
    "hartmann6_noisy": Function(_reals(6), _hartmann, spread=0.15),
}
