"""Problems whose losses depend on a budget of 1 to 81: synthetic curves, and tables of real
trainings (see make_curves). A regret is the true loss at the full budget, above the smallest there
is, in units of how much the median configuration is above it.

    easy       Hartmann's function of six parameters: L + 0.9 (4.52 - L) w(b) + noise of 0.01, where
               L is the loss, 0 at the optimum, and w(b) = b^-0.9 - 81^-0.9
    noisy      the same, with noise of 0.08 b^-1/4
    reversed   L (1 - 2 w(b) / w(1)): at b = 1, the better the worse
    mlp, sgd, gbm, rows    tables; gbm lies. Between its points a table is interpolated by cones.
               With the nearest point's losses, samplers that learn pile up on a point, all copies
               of which are promoted: 75 of 85 evaluations at the second budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.params import Params, Real, Values
from tests.benchmarks.synthetic import FUNCTIONS

FULL = 81
SYNTHETIC = ("easy", "noisy", "reversed")
TABLES = ("mlp", "sgd", "gbm", "rows")
DEVELOPMENT = ("easy", "reversed", "gbm", "sgd", "rows")
VALIDATION = ("noisy", "mlp")
LYING = ("reversed", "gbm")  # small budgets do not tell, on purpose
DATA = Path(__file__).parent / "data"


class Problem(Protocol):
    """What is to be minimised."""

    @property
    def params(self) -> Params:
        """The space."""

    def regret(self, values: Values) -> float:
        """How much worse a point is than the best one, at the full budget and without noise."""

    def seen(self, values: Values, budget: float, rng: np.random.Generator) -> float:
        """The loss that an evaluation gives."""

    def speed(self, values: Values, rng: np.random.Generator) -> float:
        """How long a unit of budget takes, about 1."""


@dataclass(frozen=True)
class Synthetic:
    """Hartmann's function, its optimum placed anew for each seed, with a learning curve."""

    kind: str
    seed: int
    sigma: float

    @property
    def params(self) -> Params:
        return FUNCTIONS["hartmann6"].params

    def _loss(self, values: Values) -> float:
        instance = FUNCTIONS["hartmann6"].instance(self.seed)
        return float(instance.true(dict(values))) - float(instance.lowest)

    def regret(self, values: Values) -> float:
        return self._loss(values) / 3.1  # of the median

    def seen(self, values: Values, budget: float, rng: np.random.Generator) -> float:
        loss = self._loss(values)
        share = budget**-0.9 - FULL**-0.9
        if self.kind == "reversed":
            return loss * (1 - 2 * share / (1 - FULL**-0.9))
        noise = 0.01 if self.kind == "easy" else 0.08 * budget**-0.25
        return loss + 0.9 * (4.52 - loss) * share + noise * float(rng.normal())

    def speed(self, values: Values, rng: np.random.Generator) -> float:
        return float(rng.lognormal(0.0, self.sigma))


@dataclass(frozen=True)
class Table:
    """Real trainings, looked up at the nearest point."""

    name: str
    seed: int

    @property
    def params(self) -> Params:
        return tuple(Real(f"u{i}", 0.0, 1.0) for i in range(_read(self.name)["points"].shape[1]))

    def _at(self, values: Values) -> NDArray[np.float64]:
        """The losses at all budgets, and the seconds."""
        return _interpolated(self.name)(np.array([[values[p.name] for p in self.params]]))[0]

    def regret(self, values: Values) -> float:
        lowest, median, _ = _scale(self.name)
        return max(float(self._at(values)[-2]) - lowest, 0.0) / (median - lowest)

    def seen(self, values: Values, budget: float, rng: np.random.Generator) -> float:
        column = int(np.searchsorted(_read(self.name)["budgets"], budget))
        return float(self._at(values)[column])

    def speed(self, values: Values, rng: np.random.Generator) -> float:
        return max(float(self._at(values)[-1]) / _scale(self.name)[2], 0.1)


def available() -> list[str]:
    """The problems whose tables are there."""
    return [*SYNTHETIC, *(name for name in TABLES if (DATA / f"curves_{name}.npz").exists())]


def problem(name: str, seed: int, sigma: float) -> Problem:
    """A problem by its name; `sigma` tells how much the speeds of synthetic ones vary."""
    return Synthetic(name, seed, sigma) if name in SYNTHETIC else Table(name, seed)


@lru_cache
def _read(name: str) -> dict[str, NDArray[np.float32]]:
    with np.load(DATA / f"curves_{name}.npz") as arrays:
        return dict(arrays)


@lru_cache
def _interpolated(name: str) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    from scipy.interpolate import RBFInterpolator

    table = _read(name)
    values = np.column_stack([table["loss"], table["seconds"]])
    return RBFInterpolator(table["points"], values, kernel="linear", degree=0)


@lru_cache
def _scale(name: str) -> tuple[float, float, float]:
    """The lowest and the median loss at the full budget, and the median of the seconds."""
    points = _read(name)["points"]
    found = _interpolated(name)(np.random.default_rng(0).random((20_000, points.shape[1])))
    lowest = min(float(found[:, -2].min()), float(_read(name)["loss"][:, -1].min()))
    return lowest, float(np.median(found[:, -2])), float(np.median(found[:, -1]))
