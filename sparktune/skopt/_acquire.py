"""Acquisition functions by their names in scikit-optimize, all to be maximised. EI and PI are
positive and are returned as logarithms.

mean, sd   mean and standard deviation of the predicted loss at a point
best       the loss to improve on
xi         the smallest improvement on `best` that counts
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
"""The acquisition functions that "gp_hedge" chooses from."""

NAMES = ("gp_hedge", "EI", "LCB", "PI", "MES", "PVRS", "EIps", "PIps")

_STEP = 1e-5


@dataclass(frozen=True)
class Uncertainty:
    """The standard deviation alone, which is what LCB means with kappa="inf"."""

    def __call__(self, mean: Array, sd: Array) -> Array:
        """Return the standard deviations (m,)."""
        return sd

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """Return the derivatives with respect to mean and sd, which are 0 and 1."""
        return 0.0, 1.0

    def believing(self, mean: float) -> Uncertainty:
        """Return this function, because it does not depend on a loss to improve on."""
        return self


@dataclass(frozen=True, eq=False)
class MaxValueEntropy:
    """Max-value entropy search: the information that an evaluation gives about the smallest loss
    (Wang and Jegelka 2017, arXiv:1703.01968, eq. 6). It is the mean of
    g phi(g) / (2 Phi(g)) - log Phi(g) over the draws `least` (k,) of the smallest loss.
    """

    least: Array

    def __call__(self, mean: Array, sd: Array) -> Array:
        """Return the information gains (m,)."""
        from scipy.special import log_ndtr

        g = (mean - self.least[:, None]) / sd
        log_phi = -0.5 * g**2 - 0.5 * np.log(2 * np.pi)
        gain: Array = (0.5 * g * np.exp(log_phi - log_ndtr(g)) - log_ndtr(g)).mean(axis=0)
        return gain

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """Return the derivatives with respect to mean and sd, by central differences."""
        h = _STEP * sd
        m = np.array([mean + h, mean - h, mean, mean])
        s = np.array([sd, sd, sd + h, sd - h])
        a, b, c, d = self(m, s).tolist()
        return (a - b) / (2 * h), (c - d) / (2 * h)

    def believing(self, mean: float) -> MaxValueEntropy:
        """Return this function; the draws stay the same."""
        return self


def smallest(mean: Array, sd: Array, n: int, rng: np.random.Generator) -> Array:
    """Draw the smallest loss n times, given the predictions at some points. The predictions count
    as independent. The draws come from the Gumbel distribution whose quartiles are those of the
    smallest loss (Wang and Jegelka 2017, section 3.1).
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


def acquisition(name: str, best: float, kappa: Any, xi: float, noise: float) -> Acquisition:
    """Return the acquisition function with this name: "EI", "PI" or "LCB". The time per evaluation
    that "EIps" and "PIps" take into account is not part of it. With `noise` above 0, "EI" is the
    augmented expected improvement (`LogEI`).
    """
    made: dict[str, Callable[[], Acquisition]] = {
        "EI": lambda: LogEI(best - xi, noise),
        "PI": lambda: LogPI(best - xi),
        "LCB": lambda: Uncertainty() if kappa == "inf" else Bound(float(kappa)),
    }
    return made[name.removesuffix("ps")]()
