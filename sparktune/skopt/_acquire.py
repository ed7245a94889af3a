"""Acquisitions by scikit-optimize's names, to be maximised. Those that are positive are logarithms.

mean, sd   of the loss at a point
best       the loss to improve on
xi         by how much at least
f*         draws of the smallest loss, (k,)
g          (mean - f*) / sd
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.samplers._acquisition import Acquisition, Bound, LogEI, LogPI
from sparktune.space.distributions import Array

HEDGED = ("EI", "LCB", "PI")
"""What "gp_hedge" chooses from."""

NAMES = ("gp_hedge", "EI", "LCB", "PI", "MES", "PVRS", "EIps", "PIps")

_STEP = 1e-5


@dataclass(frozen=True)
class Uncertainty:
    """The standard deviation alone: LCB with kappa="inf"."""

    def __call__(self, mean: Array, sd: Array) -> Array:
        """Its values (m,)."""
        return sd

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """(0, 1)."""
        return 0.0, 1.0

    def believing(self, mean: float) -> Uncertainty:
        """The same."""
        return self


@dataclass(frozen=True, eq=False)
class MaxValueEntropy:
    """What is learnt about the smallest loss, of which `least` (k,) are draws (Wang and Jegelka
    2017, arXiv:1703.01968, eq. 6): the mean of g phi(g) / (2 Phi(g)) - log Phi(g).
    """

    least: Array

    def __call__(self, mean: Array, sd: Array) -> Array:
        """Its values (m,)."""
        from scipy.special import log_ndtr

        g = (mean - self.least[:, None]) / sd
        log_phi = -0.5 * g**2 - 0.5 * np.log(2 * np.pi)
        found: Array = (0.5 * g * np.exp(log_phi - log_ndtr(g)) - log_ndtr(g)).mean(axis=0)
        return found

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """By differences."""
        h = _STEP * sd
        m = np.array([mean + h, mean - h, mean, mean])
        s = np.array([sd, sd, sd + h, sd - h])
        a, b, c, d = self(m, s).tolist()
        return (a - b) / (2 * h), (c - d) / (2 * h)

    def believing(self, mean: float) -> MaxValueEntropy:
        """The same."""
        return self


def smallest(mean: Array, sd: Array, n: int, rng: np.random.Generator) -> Array:
    """n draws of the smallest loss at points with these predictions, taken as independent, by a
    Gumbel distribution with their quartiles (Wang and Jegelka 2017, section 3.1).
    """
    from scipy.special import log_ndtr

    grid = np.linspace((mean - 6 * sd).min(), (mean + 6 * sd).min(), 200)
    above = log_ndtr((mean[:, None] - grid) / sd[:, None]).sum(axis=0)  # log P(all are larger)
    cdf = np.maximum.accumulate(1 - np.exp(above))
    q1, q2, q3 = (float(np.interp(q, cdf, grid)) for q in (0.25, 0.5, 0.75))
    scale = (q3 - q1) / (np.log(np.log(4)) - np.log(np.log(4 / 3)))
    place = q2 - scale * np.log(np.log(2))
    draws: Array = place + scale * np.log(-np.log(rng.random(n)))
    least: Array = np.minimum(draws, mean.min() - 1e-6 * sd.max())
    return least


def acquisition(name: str, best: float, kappa: Any, xi: float) -> Acquisition:
    """The acquisition of a name, without what depends on time or on the place."""
    made: dict[str, Callable[[], Acquisition]] = {
        "EI": lambda: LogEI(best - xi),
        "PI": lambda: LogPI(best - xi),
        "LCB": lambda: Uncertainty() if kappa == "inf" else Bound(float(kappa)),
    }
    return made[name.removesuffix("ps")]()
